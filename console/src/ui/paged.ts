// A keyset-paged list that grows while one scrolls.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort, problemFor } from '../api/client';
import type { Problem, Total } from '../gen/api';

export interface Page<T> { total: Total; rows: T[]; next: string | null }
export interface Paged<T, P extends Page<T>> { rows: readonly T[]; pages: readonly P[]; total: number; loading: boolean; problem: Problem | null; more: () => void; reload: () => void }

export function usePaged<T, P extends Page<T>>(key: string | null, load: (cursor: string | undefined, signal: AbortSignal) => Promise<P>): Paged<T, P> {
  const [state, setState] = useState<{ key: string | null; pages: P[]; problem: Problem | null; loading: boolean }>({ key, pages: [], problem: null, loading: key !== null });
  const [turn, setTurn] = useState(0);
  const abort = useRef(new AbortController());
  const loader = useRef(load);
  loader.current = load;
  const busy = useRef(false);

  const fetchPage = (cursor: string | undefined) => {
    const mine = abort.current;
    busy.current = true;
    loader.current(cursor, mine.signal).then(
      (page) => {
        if (mine !== abort.current) return;
        busy.current = false;
        setState((s) => ({ key, pages: cursor === undefined ? [page] : [...s.pages, page], problem: null, loading: false }));
      },
      (error: unknown) => {
        if (isAbort(error) || mine !== abort.current) return;
        busy.current = false;
        setState((s) => ({ ...s, problem: problemFor(error), loading: false }));
      },
    );
  };
  useEffect(() => {
    if (key === null) return;
    abort.current = new AbortController();
    setState((s) => ({ key, pages: s.key === key ? s.pages : [], problem: null, loading: true }));
    fetchPage(undefined);
    return () => abort.current.abort();
  }, [key, turn]);

  const pages = state.key === key ? state.pages : [];
  const last = pages[pages.length - 1];
  return {
    rows: pages.length === 1 ? pages[0]?.rows ?? [] : pages.flatMap((p) => p.rows),
    pages,
    total: last?.next === null ? pages.reduce((n, p) => n + p.rows.length, 0) : pages[0]?.total.value ?? 0,
    loading: state.key === key ? state.loading : key !== null,
    problem: state.key === key ? state.problem : null,
    more: () => { if (!busy.current && last?.next && !state.problem) fetchPage(last.next); },
    reload: () => setTurn((t) => t + 1),
  };
}
