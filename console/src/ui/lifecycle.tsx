// The life cycle as a bar of six steps: what is behind, where it is, what comes next, and how long each took.
import type { Lifecycle, Stage } from '../gen/api';
import { formatDuration } from '../lib/time';
import { stageWord, wordOf } from '../lib/words';

const ORDER: readonly Stage[] = ['triage', 'contain', 'investigate', 'patch', 'recover', 'closed'];

/** A bar to look at, for lists. */
export function StageBar({ stage }: { stage: Stage }) {
  const at = ORDER.indexOf(stage);
  return (
    <ol class="stagebar" aria-label="Life cycle">
      {ORDER.map((s, i) => <li key={s} class={i < at ? 'is-past' : i === at ? 'is-now' : ''} {...(i === at ? { 'aria-current': 'step' as const } : {})}>{stageWord[s]}</li>)}
    </ol>
  );
}

/** The bar that moves: each step is a button that opens the move, or the reason why there is none. */
export function LifecycleBar({ lifecycle, onChoose }: { lifecycle: Lifecycle; onChoose: (to: Stage) => void }) {
  const at = lifecycle.stages.findIndex((s) => s.stage === lifecycle.stage);
  return (
    <ol class="lifecycle" aria-label="Life cycle">
      {lifecycle.stages.map((s, i) => {
        const move = lifecycle.moves.find((m) => m.to === s.stage);
        const state = i === at ? 'is-now' : s.entered !== null && i < at ? 'is-past' : s.entered !== null ? 'is-visited' : '';
        const time = s.entered === null ? 'not entered' : formatDuration(s.seconds);
        return (
          <li key={s.stage} class={state}>
            {i === at || !move
              ? <span class="lc-step" aria-current="step"><b>{wordOf(stageWord, s.stage)}</b><small>{time}</small></span>
              : (
                <button type="button" class={`lc-step${move.allowed ? ` lc-open lc-${move.kind}` : ' lc-refused'}`} onClick={() => onChoose(s.stage)} title={move.allowed ? `Move to ${wordOf(stageWord, s.stage)}` : move.why}>
                  <b>{wordOf(stageWord, s.stage)}</b>
                  <small>{move.allowed ? (move.kind === 'forward' ? 'next' : move.kind === 'close' ? 'can close' : time) : time}<span class="visually-hidden">{move.allowed ? ', can move here' : `, not allowed: ${move.why}`}</span></small>
                </button>
              )}
          </li>
        );
      })}
    </ol>
  );
}
