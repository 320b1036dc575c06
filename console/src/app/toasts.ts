// Short messages at the lower edge. An act that can be taken back offers Undo for as long as the daemon keeps its token; errors stay until
// they are closed.
import { signal } from '@preact/signals';
import { call, problemFor } from '../api/client';
import type { Problem, Undo } from '../gen/api';
import { publishRow } from './rows';

export interface Toast {
  id: number;
  text: string;
  undo: Undo | null;
  problem: Problem | null;
  /** Milliseconds on the screen; 0 = until closed. */
  lasts_ms: number;
}

const TOASTS_MAX = 4;
const UNDO_MS = 10_000;
const NOTE_MS = 4_000;
let nextId = 1;

export const toasts = signal<Toast[]>([]);

function push(toast: Omit<Toast, 'id'>): void {
  toasts.value = [...toasts.value, { ...toast, id: nextId++ }].slice(-TOASTS_MAX);
}

export const note = (text: string): void => push({ text, undo: null, problem: null, lasts_ms: NOTE_MS });
export const done = (text: string, undo: Undo | null): void => push({ text, undo, problem: null, lasts_ms: undo ? UNDO_MS : NOTE_MS });
export const failedWith = (text: string, problem: Problem): void => push({ text, undo: null, problem, lasts_ms: 0 });
export const failed = (text: string, error: unknown): void => failedWith(text, problemFor(error));

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}

export async function undoToast(toast: Toast): Promise<void> {
  if (!toast.undo) return;
  dismiss(toast.id);
  try {
    const result = await call('undo', { body: { token: toast.undo.token } });
    for (const row of result.rows) publishRow(row);
    note('Taken back.');
  } catch (error) {
    failed('Could not take it back.', error);
  }
}

export function undoLast(): void {
  const last = [...toasts.value].reverse().find((t) => t.undo);
  if (last) void undoToast(last);
  else note('There is nothing to undo. An act can be taken back for ten seconds.');
}
