// What a screen shows of one call: the answer, the failure, and whether a newer answer is on its way. The old answer stays visible
// while the next one loads and when it fails, so that a screen never blinks empty.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort, problemFor } from './client';
import type { Problem } from '../gen/api';

export interface Resource<T> {
  data: T | null;
  problem: Problem | null;
  loading: boolean;
  reload: () => void;
  /** Puts a newer value in place without a call, after an act whose answer carries it. */
  set: (data: T) => void;
}

/** Loads again whenever `key` changes; a null key loads nothing. Data of another key is dropped at once. */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; problem: Problem | null; loading: boolean }>({ key, data: null, problem: null, loading: key !== null });
  const [turn, setTurn] = useState(0);
  const loader = useRef(load);
  loader.current = load;

  useEffect(() => {
    if (key === null) {
      setState({ key, data: null, problem: null, loading: false });
      return;
    }
    const abort = new AbortController();
    setState((s) => ({ key, data: s.key === key ? s.data : null, problem: s.key === key ? s.problem : null, loading: true }));
    loader.current(abort.signal).then(
      (data) => setState({ key, data, problem: null, loading: false }),
      (error: unknown) => {
        if (isAbort(error) || abort.signal.aborted) return;
        setState((s) => ({ ...s, problem: problemFor(error), loading: false }));
      },
    );
    return () => abort.abort();
  }, [key, turn]);

  const current = state.key === key ? state : { key, data: null, problem: null, loading: key !== null };
  return {
    data: current.data,
    problem: current.problem,
    loading: current.loading,
    reload: () => setTurn((t) => t + 1),
    set: (data) => setState({ key, data, problem: null, loading: false }),
  };
}
