// Tabs whose choice stands in the URL (?tab=). Arrow keys move between them, as the tab pattern asks.
import { setQuery } from '../app/router';
import { formatCount } from '../lib/words';

export interface TabSpec { key: string; label: string; count?: number }

export function Tabs({ tabs, current, label }: { tabs: TabSpec[]; current: string; label: string }) {
  const choose = (key: string) => setQuery({ tab: key === tabs[0]?.key ? '' : key });
  const onKeyDown = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    e.preventDefault();
    const at = tabs.findIndex((t) => t.key === current);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (!next) return;
    choose(next.key);
    document.getElementById(`tab-${next.key}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map((t) => (
        <button key={t.key} id={`tab-${t.key}`} type="button" role="tab" aria-selected={t.key === current} aria-controls="tab-panel" tabIndex={t.key === current ? 0 : -1} onClick={() => choose(t.key)}>
          {t.label}{t.count !== undefined && <span class="tab-count num">{formatCount(t.count)}</span>}
        </button>
      ))}
    </div>
  );
}

export const tabOf = (query: string, tabs: TabSpec[]): string => {
  const wanted = new URLSearchParams(query).get('tab') ?? '';
  return tabs.some((t) => t.key === wanted) ? wanted : tabs[0]?.key ?? '';
};
