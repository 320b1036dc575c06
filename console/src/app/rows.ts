// An act's answer carries the incident's new row. Every list and page that shows the incident hears about it here.
import type { IncidentRow } from '../gen/api';

type Listener = (row: IncidentRow) => void;
const listeners = new Set<Listener>();

export function onRow(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function publishRow(row: IncidentRow): void {
  for (const listener of listeners) listener(row);
}
