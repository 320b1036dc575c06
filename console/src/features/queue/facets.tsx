// The facets on the left: every value with its count; a click includes it, the minus excludes it, a second click takes it back.
import { useEffect, useState } from 'preact/hooks';
import { call, isAbort, problemFor } from '../../api/client';
import { setQuery } from '../../app/router';
import { allSeverity, allStage, type Facet, type Problem } from '../../gen/api';
import { filterQuery, formatChoice, stateOf, withState, type FacetName, type Filters, type TriState } from '../../lib/filters';
import { dispositionWord, formatCount, severityWord, stageWord, wordOf } from '../../lib/words';
import { ProblemBox, Skeleton } from '../../ui/states';
import { facetTurn } from './store';

const titles: Record<FacetName, string> = { severity: 'Severity', stage: 'Stage', disposition: 'Verdict', assignee: 'Assignee', model: 'Model line', rule: 'Rule' };
/** Codes with an order of their own keep it; everything else comes with the largest count first. */
const fixedOrder: Partial<Record<FacetName, readonly string[]>> = { severity: allSeverity, stage: allStage };
const SEARCHABLE_FROM = 8;
const SHOWN_FIRST = 12;

export function facetWord(name: FacetName, value: string, label: string | null = null): string {
  if (label !== null) return label;
  if (name === 'severity') return wordOf(severityWord, value);
  if (name === 'stage') return wordOf(stageWord, value);
  if (name === 'disposition') return value === 'none' ? 'No verdict' : wordOf(dispositionWord, value);
  if (name === 'assignee') return value === 'none' ? 'Unassigned' : value;
  return value === 'none' ? 'Unknown' : value;
}

export function Facets({ filters }: { filters: Filters }) {
  const [facets, setFacets] = useState<Facet[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const key = new URLSearchParams(filterQuery(filters)).toString();
  const turn = facetTurn.value;
  useEffect(() => {
    const abort = new AbortController();
    call('incidentFacets', { query: filterQuery(filters), signal: abort.signal }).then(
      (r) => { setFacets(r.facets); setProblem(null); },
      (e: unknown) => { if (!isAbort(e)) setProblem(problemFor(e)); },
    );
    return () => abort.abort();
  }, [key, turn]);
  return (
    <aside class="facets" aria-label="Filters" tabIndex={0}>
      {problem && <ProblemBox problem={problem} compact />}
      {!facets && !problem && <Skeleton rows={12} label="Loading filters" />}
      {facets?.map((f) => <FacetBox key={f.name} facet={f} filters={filters} />)}
    </aside>
  );
}

function FacetBox({ facet, filters }: { facet: Facet; filters: Filters }) {
  const [words, setWords] = useState('');
  const [all, setAll] = useState(false);
  const name = facet.name;
  const choice = filters.facets[name];
  const order = fixedOrder[name];
  const listed = new Set(facet.values.map((v) => v.value));
  // A chosen value stays visible at zero, or it could not be taken back here.
  const absent = [...choice.include, ...choice.exclude].filter((v) => !listed.has(v) && v !== 'me').map((value) => ({ value, label: null, count: 0 }));
  const known = [...facet.values, ...absent];
  if (order) known.sort((a, b) => order.indexOf(a.value) - order.indexOf(b.value));
  const found = known.filter((v) => facetWord(name, v.value, v.label).toLowerCase().includes(words.toLowerCase()));
  const values = all || words !== '' ? found : found.filter((v, i) => i < SHOWN_FIRST || stateOf(choice, v.value) !== 'off');
  const set = (value: string, state: TriState) => setQuery({ [name]: formatChoice(withState(choice, value, state)) });
  if (facet.values.length === 0 && absent.length === 0) return null;
  return (
    <section class="facet">
      <h2>{titles[name]}</h2>
      {facet.values.length >= SEARCHABLE_FROM && <input type="text" aria-label={`Find in ${titles[name]}`} placeholder="Find" value={words} onInput={(e) => setWords(e.currentTarget.value)} />}
      <ul>
        {values.map((v) => {
          const state = stateOf(choice, v.value);
          const word = facetWord(name, v.value, v.label);
          return (
            <li key={v.value} class={`facet-${state}`}>
              <button type="button" class="facet-value" aria-pressed={state === 'include'} onClick={() => set(v.value, state === 'include' ? 'off' : 'include')} title={word}>
                <span class={`facet-mark${name === 'severity' ? ` sev-${v.value}` : ''}`} aria-hidden="true" /><span class="facet-word">{word}</span><span class="facet-count num">{formatCount(v.count)}</span>
              </button>
              <button type="button" class="facet-not" aria-pressed={state === 'exclude'} aria-label={`Exclude ${word}`} title={`Exclude ${word}`} onClick={() => set(v.value, state === 'exclude' ? 'off' : 'exclude')}>−</button>
            </li>
          );
        })}
      </ul>
      {values.length < found.length && <button type="button" class="link facet-all" onClick={() => setAll(true)}>Show all {found.length}</button>}
      {facet.other > 0 && <p class="facet-other">{formatCount(facet.other)} under other values; search finds them</p>}
    </section>
  );
}
