// The address bar is the state. Screens read the location and write filters back into it; Back takes one step back.
import { signal } from '@preact/signals';

export interface Location {
  path: string;
  /** Without the question mark. */
  query: string;
}

function read(): Location {
  return { path: window.location.pathname, query: window.location.search.slice(1) };
}

export const location = signal<Location>(read());

window.addEventListener('popstate', () => (location.value = read()));

export function navigate(url: string, options: { replace?: boolean } = {}): void {
  if (url === window.location.pathname + window.location.search) return;
  if (options.replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  location.value = read();
}

/** Changes some parameters of the present URL; an empty value takes the parameter away. */
export function setQuery(changes: Record<string, string>, options: { replace?: boolean } = {}): void {
  const query = new URLSearchParams(window.location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === '') query.delete(key);
    else query.set(key, value);
  }
  const text = readableQuery(query);
  navigate(window.location.pathname + (text === '' ? '' : `?${text}`), options);
}

/** URLSearchParams escapes commas and colons that a URL may carry; links people paste should stay readable. */
export function readableQuery(query: URLSearchParams): string {
  return query.toString().replace(/%2C/g, ',').replace(/%3A/g, ':');
}

/** Lets plain clicks on links of this origin stay in the page. Modified clicks keep their meaning. */
export function interceptLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (!link || link.target !== '' || link.origin !== window.location.origin || link.hasAttribute('download')) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}

export type Route = { name: 'queue' } | { name: 'incident'; id: string } | { name: 'vehicles' } | { name: 'vehicle'; vid: string } | { name: 'silences' } | { name: 'rules' } | { name: 'campaigns'; id: string | null } | { name: 'unknown' };

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export function routeOf(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0 || (parts.length === 1 && parts[0] === 'queue')) return { name: 'queue' };
  if (parts.length === 2 && parts[0] === 'incidents') return { name: 'incident', id: decode(parts[1] ?? '') };
  if (parts.length === 1 && parts[0] === 'vehicles') return { name: 'vehicles' };
  if (parts.length === 2 && parts[0] === 'vehicles') return { name: 'vehicle', vid: decode(parts[1] ?? '') };
  if (parts.length === 1 && (parts[0] === 'silences' || parts[0] === 'rules')) return { name: parts[0] };
  if (parts[0] === 'campaigns' && parts.length <= 2) return { name: 'campaigns', id: parts[1] === undefined ? null : decode(parts[1]) };
  return { name: 'unknown' };
}
