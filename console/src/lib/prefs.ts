// What a user chose for this browser: theme, time zone, keyboard shortcuts. Filters are not here; they live in the URL.
import { signal, effect, type Signal } from '@preact/signals';

export type Theme = 'system' | 'dark' | 'light';
export type Zone = 'utc' | 'local';

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function preference<T extends string>(key: string, allowed: readonly T[], initial: T): Signal<T> {
  const value = stored(key);
  const pref = signal<T>(allowed.find((a) => a === value) ?? initial);
  effect(() => {
    const current = pref.value;
    try {
      localStorage.setItem(key, current);
    } catch {
      // Without storage the choice holds until the page is left.
    }
  });
  return pref;
}

export const theme = preference<Theme>('vsoc.theme', ['system', 'dark', 'light'], 'system');
export const zone = preference<Zone>('vsoc.zone', ['utc', 'local'], 'utc');
export const shortcuts = preference<'on' | 'off'>('vsoc.keys', ['on', 'off'], 'on');
export const density = preference<'compact' | 'comfortable'>('vsoc.density', ['compact', 'comfortable'], 'compact');

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
});
