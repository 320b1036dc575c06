// The live stream. It carries no data, only "this changed"; whoever shows it fetches it again. A heartbeat every five seconds says how far
// behind the daemon is; when heartbeats stop, the state is "no contact", which is not the same as "all is quiet".
import { signal } from '@preact/signals';
import { apiBase, type StreamChange, type StreamHeartbeat } from '../gen/api';

const BEAT_MISSED_MS = 15_000;

export type LiveState = 'connecting' | 'live' | 'lost';
export const liveState = signal<LiveState>('connecting');
export const heartbeat = signal<StreamHeartbeat | null>(null);
/** Raised with every heartbeat that names a different number of blind spots, and on health changes. */
export const healthTurn = signal(0);

type Listener = (change: StreamChange | null) => void;
const listeners = new Set<Listener>();
let source: EventSource | null = null;
let watchdog = 0;

/** `listener` gets every change; null means that changes were missed and everything shown should be fetched again. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(change: StreamChange | null): void {
  for (const listener of listeners) listener(change);
}

function alive(): void {
  if (liveState.value === 'lost') tell(null);
  liveState.value = 'live';
  clearTimeout(watchdog);
  watchdog = window.setTimeout(() => (liveState.value = 'lost'), BEAT_MISSED_MS);
}

export function startLive(): void {
  if (source) return;
  liveState.value = 'connecting';
  source = new EventSource(`${apiBase}/stream`);
  source.addEventListener('heartbeat', (e) => {
    alive();
    const beat = JSON.parse((e as MessageEvent<string>).data) as StreamHeartbeat;
    if (beat.blind_spots !== heartbeat.value?.blind_spots) healthTurn.value++;
    heartbeat.value = beat;
  });
  source.addEventListener('change', (e) => {
    alive();
    const change = JSON.parse((e as MessageEvent<string>).data) as StreamChange;
    if (change.topic === 'health') healthTurn.value++;
    tell(change);
  });
  source.addEventListener('reset', () => tell(null));
  source.addEventListener('error', () => {
    liveState.value = 'lost';
    // The browser reconnects by itself unless the server refused; then a new attempt starts here.
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      window.setTimeout(startLive, 5000);
    }
  });
}

export function stopLive(): void {
  source?.close();
  source = null;
  clearTimeout(watchdog);
}
