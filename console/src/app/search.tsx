// One search for everything that has a name. Hits appear while typing; Enter opens the chosen one, or filters the queue by the words.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { call, problemFor } from '../api/client';
import type { Problem, SearchHit } from '../gen/api';
import { incidentPath, vehiclePath } from '../lib/ids';
import { navigate } from './router';

const TYPING_MS = 180;

export function hitUrl(hit: SearchHit): string {
  switch (hit.kind) {
    case 'incident': return incidentPath(hit.id);
    case 'vehicle': return vehiclePath(hit.id);
    case 'rule': return `/queue?rule=${encodeURIComponent(hit.id)}`;
    case 'signature': return `/queue?signature=${encodeURIComponent(hit.id)}`;
    case 'alert': return `/queue?q=${encodeURIComponent(hit.id)}`;
  }
}

const kindWord: Record<SearchHit['kind'], string> = { incident: 'Incident', vehicle: 'Vehicle', alert: 'Alert', rule: 'Rule', signature: 'Signature' };

/** Hits for `text`, asked for when typing rests. */
export function useHits(text: string): { hits: SearchHit[]; problem: Problem | null; asked: string } {
  const [state, setState] = useState<{ hits: SearchHit[]; problem: Problem | null; asked: string }>({ hits: [], problem: null, asked: '' });
  useEffect(() => {
    const q = text.trim();
    if (q === '') {
      setState({ hits: [], problem: null, asked: '' });
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call('search', { query: { q }, signal: abort.signal }).then(
        (r) => setState({ hits: r.hits, problem: null, asked: q }),
        (e: unknown) => { if (!abort.signal.aborted) setState({ hits: [], problem: problemFor(e), asked: q }); },
      );
    }, TYPING_MS);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [text]);
  return state;
}

export const HitLine = ({ hit }: { hit: SearchHit }) => (
  <>
    <span class="hit-kind">{kindWord[hit.kind]}</span>
    <span class="hit-title">{hit.title}</span>
    <span class="hit-detail">{hit.detail}</span>
  </>
);

export function Search() {
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const { hits, problem, asked } = useHits(open ? text : '');
  const leave = () => { setOpen(false); setText(''); setChosen(-1); input.current?.blur(); };
  const go = (url: string) => { leave(); navigate(url); };
  const submit = () => {
    const hit = hits[chosen];
    if (hit) go(hitUrl(hit));
    else if (text.trim() !== '') go(`/queue?q=${encodeURIComponent(text.trim())}`);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      setChosen((c) => Math.max(-1, Math.min(hits.length - 1, c + (e.key === 'ArrowDown' ? 1 : -1))));
    } else if (e.key === 'Enter') submit();
    else if (e.key === 'Escape') { e.stopPropagation(); leave(); }
  };
  const showList = open && text.trim() !== '' && asked !== '';
  return (
    <search class="search">
      <svg class="search-icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><circle cx="7" cy="7" r="4.500" fill="none" stroke="currentColor" stroke-width="1.500" /><path d="m10.500 10.500 3.500 3.500" stroke="currentColor" stroke-width="1.500" stroke-linecap="round" /></svg>
      <input id="search" ref={input} type="text" role="combobox" aria-label="Search incidents, vehicles, alerts, rules" aria-expanded={showList} aria-controls={`${id}-hits`}
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined} aria-autocomplete="list" autocomplete="off" spellcheck={false} placeholder="Search incident, vehicle, rule, signature"
        value={text} onInput={(e) => { setText(e.currentTarget.value); setChosen(-1); setOpen(true); }} onFocus={() => setOpen(true)} onBlur={() => setOpen(false)} onKeyDown={onKeyDown} />
      <kbd aria-hidden="true">/</kbd>
      {showList && (
        <div class="hits" id={`${id}-hits`} role="listbox" aria-label="Hits">
          {hits.map((hit, i) => (
            <div key={`${hit.kind} ${hit.id}`} id={`${id}-${i}`} role="option" aria-selected={i === chosen} class="hit" onMouseDown={(e) => { e.preventDefault(); go(hitUrl(hit)); }}><HitLine hit={hit} /></div>
          ))}
          {hits.length === 0 && (
            <div role="option" aria-selected={false} aria-disabled="true" class="hit hit-none">
              {problem ? `Search failed: ${problem.detail}` : `Nothing is named “${asked}”. Enter filters the queue by these words.`}
            </div>
          )}
        </div>
      )}
    </search>
  );
}
