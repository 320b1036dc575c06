// Small calculations whose result is shown, apart from the views that show them.
import type { Event, SharedAttribute, VehicleLedger } from '../gen/api';

const SKEW_MS = 5 * 60 * 1000;

/** How far event time and receive time are apart when that is worth a look, else 0. */
export function skewOf(e: Pick<Event, 'time' | 'received'>): number {
  const ms = Date.parse(e.received) - Date.parse(e.time);
  return Math.abs(ms) > SKEW_MS ? ms : 0;
}

export const isSkewed = (ms: number): boolean => Math.abs(ms) > SKEW_MS;

/** How much more common an attribute is among the affected vehicles than in the fleet. */
export function liftOf(s: SharedAttribute): number | null {
  if (s.fleet === 0 || s.fleet_total === 0 || s.affected_total === 0) return null;
  return s.affected / s.affected_total / (s.fleet / s.fleet_total);
}

/** 0, or by how much the parts of a ledger miss what was produced: a fault of the backend. */
export const ledgerOff = (l: VehicleLedger): number => l.stored + l.merged + l.dead_lettered + l.missing - l.produced;

/** The smallest of 1, 2, 5, 10, 20, ... that is not below `n`. */
export function niceCeiling(n: number): number {
  if (n <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= n) ?? 10 * power;
}
