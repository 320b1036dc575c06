// Times on the screen. `now` ticks for everything relative at once.
import { signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { zone } from '../lib/prefs';
import { formatClock, formatRelative, formatTime, formatDuration, type ZoneName } from '../lib/time';

const TICK_MS = 10_000;
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), TICK_MS);

/** Pages about one vehicle may switch to the vehicle's own zone; null = the user's setting. */
export const ZoneContext = createContext<ZoneName | null>(null);

export function useZone(): ZoneName {
  const own = useContext(ZoneContext);
  return own ?? zone.value;
}

interface Props { at: string | null; none?: string }

/** "2026-11-20 14:03:22 UTC", with the age on hover. */
export function Instant({ at, none = '–', millis }: Props & { millis?: boolean }) {
  const zoneName = useZone();
  if (at === null) return <span class="dim">{none}</span>;
  return <time class="num" dateTime={at} title={formatRelative(at, now.value)}>{formatTime(at, zoneName, { millis: millis ?? false })}</time>;
}

/** "14:03:22" of today or "11-19 14:03:22"; the column's heading names the zone. */
export function Clock({ at, none = '–' }: Props) {
  const zoneName = useZone();
  if (at === null) return <span class="dim">{none}</span>;
  return <time class="num" dateTime={at} title={`${formatTime(at, zoneName, { millis: true })} · ${formatRelative(at, now.value)}`}>{formatClock(at, zoneName, now.value)}</time>;
}

/** "33 min ago", with the absolute time on hover and for screen readers. */
export function Ago({ at, none = '–' }: Props) {
  const zoneName = useZone();
  if (at === null) return <span class="dim">{none}</span>;
  return <time class="num" dateTime={at} title={formatTime(at, zoneName)}>{formatRelative(at, now.value)}</time>;
}

/** "33 min": how old, for columns headed Age. */
export function Age({ at }: { at: string }) {
  const zoneName = useZone();
  return <time class="num" dateTime={at} title={formatTime(at, zoneName)}>{formatDuration((now.value - Date.parse(at)) / 1000)}</time>;
}
