// The one place that turns an instant into words. Everything is stored and sent as UTC; every absolute time that is shown names
// its zone; a relative time always travels with the absolute one (ui/time.tsx).
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "utc", "local", or an IANA zone such as "Europe/Berlin" (the vehicle's own). */
export type ZoneName = string;

interface Parts { date: string; time: string; name: string }

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zoneName: ZoneName): Intl.DateTimeFormat {
  let f = formatters.get(zoneName);
  if (!f) {
    f = new Intl.DateTimeFormat('en-GB', {
      ...(zoneName === 'local' ? {} : { timeZone: zoneName === 'utc' ? 'UTC' : zoneName }),
      year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
      hourCycle: 'h23', timeZoneName: 'short',
    });
    formatters.set(zoneName, f);
  }
  return f;
}

function partsOf(ms: number, zoneName: ZoneName): Parts {
  const p: Record<string, string> = {};
  for (const part of formatterOf(zoneName).formatToParts(ms)) p[part.type] = part.value;
  return { date: `${p['year']}-${p['month']}-${p['day']}`, time: `${p['hour']}:${p['minute']}:${p['second']}`, name: p['timeZoneName'] ?? '' };
}

/** The name a zone shows in tables: "UTC", "CET", "GMT+9". */
export function zoneLabel(zoneName: ZoneName, at_ms: number = Date.now()): string {
  return zoneName === 'utc' ? 'UTC' : partsOf(at_ms, zoneName).name;
}

/** "2026-11-20 14:03:22 UTC"; with millis "2026-11-20 14:03:22.123 UTC". Text that is no time comes back as it is. */
export function formatTime(iso: string, zoneName: ZoneName, options: { millis?: boolean; zone?: boolean } = {}): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso;
  const p = partsOf(ms, zoneName);
  const millis = options.millis ? `.${String(((ms % 1000) + 1000) % 1000).padStart(3, '0')}` : '';
  return `${p.date} ${p.time}${millis}${options.zone === false ? '' : ` ${zoneName === 'utc' ? 'UTC' : p.name}`}`;
}

/** "14:03:22", and with the day when it is not the day of `now_ms`: "11-19 14:03:22". */
export function formatClock(iso: string, zoneName: ZoneName, now_ms: number): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso;
  const p = partsOf(ms, zoneName);
  return p.date === partsOf(now_ms, zoneName).date ? p.time : `${p.date.slice(5)} ${p.time}`;
}

/** A length of time in at most two units: "33 min", "4 h 10", "3 d". */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < MINUTE) return `${s} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < DAY) {
    const minutes = Math.floor((s % HOUR) / MINUTE);
    return minutes === 0 ? `${Math.floor(s / HOUR)} h` : `${Math.floor(s / HOUR)} h ${String(minutes).padStart(2, '0')}`;
  }
  const hours = Math.floor((s % DAY) / HOUR);
  return s < 10 * DAY && hours > 0 ? `${Math.floor(s / DAY)} d ${hours} h` : `${Math.floor(s / DAY)} d`;
}

/** "33 min ago", "in 4 h". */
export function formatRelative(iso: string, now_ms: number): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso;
  const seconds = (now_ms - ms) / 1000;
  if (Math.abs(seconds) < 2) return 'now';
  return seconds >= 0 ? `${formatDuration(seconds)} ago` : `in ${formatDuration(-seconds)}`;
}

export function formatLag(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return formatDuration(ms / 1000);
}

const RELATIVE = /^now(?:-(\d{1,5})([smhdw]))?$/;
const UNIT_S: Record<string, number> = { s: 1, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

/** What a person types into a range: "now-48h", RFC 3339, or "2026-11-20" / "2026-11-20 14:03" taken as UTC. Null when it is none. */
export function parseTimeInput(text: string): string | null {
  const t = text.trim();
  if (t === '') return '';
  if (RELATIVE.test(t)) return t;
  const short = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::(\d{2}))?)?(?: ?UTC|Z)?$/.exec(t);
  const iso = short ? `${short[1]}T${short[2] ?? '00:00'}:${short[3] ?? '00'}Z` : t;
  const ms = Date.parse(iso);
  return Number.isNaN(ms) || !/^\d{4}-/.test(iso) ? null : new Date(ms).toISOString();
}

/** The instant a range end stands for, in milliseconds; NaN when it is no time. */
export function resolveTime(text: string, now_ms: number): number {
  const m = RELATIVE.exec(text);
  if (!m) return Date.parse(text);
  return m[1] ? now_ms - Number(m[1]) * (UNIT_S[m[2] ?? 's'] ?? 1) * 1000 : now_ms;
}

export const quickRanges: readonly (readonly [from: string, label: string])[] = [
  ['', 'Any time'], ['now-15m', 'Last 15 min'], ['now-1h', 'Last hour'], ['now-24h', 'Last 24 h'], ['now-48h', 'Last 48 h'],
  ['now-7d', 'Last 7 days'], ['now-30d', 'Last 30 days'], ['now-90d', 'Last 90 days'],
];

export function rangeLabel(from: string, to: string, zoneName: ZoneName): string {
  const quick = quickRanges.find(([f]) => f === from && to === '');
  if (quick) return quick[1];
  const end = (t: string): string => (t.startsWith('now') ? t : formatTime(t, zoneName));
  if (from === '') return `until ${end(to)}`;
  return to === '' ? `since ${end(from)}` : `${end(from)} to ${end(to)}`;
}
