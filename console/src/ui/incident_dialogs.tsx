// The three questions an act on incidents may ask: which verdict and why, who takes it, what to say. They act on one incident or on a selection:
// the one that was meant when the dialog opened, whatever the list below it does meanwhile. A refusal is shown beside what was typed.
import { useEffect, useState } from 'preact/hooks';
import { assign, comment, judge } from '../app/acts';
import { onRow } from '../app/rows';
import { call, problemFor } from '../api/client';
import { allDisposition, type Disposition, type DispositionChoice, type IncidentRow, type Problem, type User } from '../gen/api';
import { counted, dispositionHint, dispositionWord, roleWord } from '../lib/words';
import { Dialog } from './dialog';
import { ProblemBox } from './states';

export type AskKind = { kind: 'verdict'; preset: Disposition } | { kind: 'assign' } | { kind: 'comment' };
interface Props { targets: readonly IncidentRow[]; onClose: () => void; onDone: () => void }

/** The rows that were meant, kept at their newest version. */
function useMeant(targets: readonly IncidentRow[]): readonly IncidentRow[] {
  const [rows, setRows] = useState(targets);
  useEffect(() => onRow((row) => setRows((list) => list.map((r) => (r.id === row.id ? row : r)))), []);
  return rows;
}

const subject = (targets: readonly IncidentRow[]): string => (targets.length === 1 ? targets[0]?.id ?? '' : counted(targets.length, 'incident', 'incidents'));

/** The false-positive verdict and the reason used last are offered first next time. */
const memory = { falsePositive: 'benign_anomaly' as Disposition, reasons: new Map<Disposition, string>() };
const FALSE_POSITIVES: readonly Disposition[] = ['benign_anomaly', 'research_or_test', 'owner_modification'];

export const presetFor = (key: 't' | 'f' | 'h'): Disposition => (key === 't' ? 'malicious' : key === 'h' ? 'hardware_fault' : memory.falsePositive);

export function VerdictDialog({ targets, onClose, onDone, preset, choice }: Props & { preset: Disposition; choice?: DispositionChoice | undefined }) {
  const meant = useMeant(targets);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [chosen, setChosen] = useState<Disposition>(preset);
  const [reason, setReason] = useState(memory.reasons.get(preset) ?? '');
  const [busy, setBusy] = useState(false);
  const choose = (d: Disposition) => {
    setChosen(d);
    setReason(memory.reasons.get(d) ?? reason);
  };
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || off(chosen)) return;
    setBusy(true);
    memory.reasons.set(chosen, reason.trim());
    if (FALSE_POSITIVES.includes(chosen)) memory.falsePositive = chosen;
    const refused = await judge(meant, chosen, reason.trim());
    setProblem(refused);
    setBusy(false);
    if (refused) return;
    onClose();
    onDone();
  };
  const off = (d: Disposition) => choice !== undefined && !choice.allowed.includes(d);
  return (
    <Dialog title={`Verdict on ${subject(meant)}`} onClose={onClose}>
      <form onSubmit={(e) => void submit(e)}>
        <fieldset class="choices">
          <legend>What is it?</legend>
          {allDisposition.map((d) => (
            <label key={d} class={`choice${off(d) ? ' choice-off' : ''}`}>
              <input type="radio" name="disposition" value={d} checked={chosen === d} autofocus={d === preset} disabled={off(d)} onChange={() => choose(d)} onKeyDown={(e) => { if (e.key === 'Enter') void submit(e); }} />
              <span><b>{dispositionWord[d]}</b><small>{dispositionHint[d]}</small></span>
            </label>
          ))}
        </fieldset>
        <label class="field">Reason<textarea rows={2} maxLength={4000} value={reason} onInput={(e) => setReason(e.currentTarget.value)} onKeyDown={submitOnCtrlEnter} placeholder="What makes you sure? Kept with the incident." /></label>
        {choice && choice.why !== '' && <p class="buttons-why">{choice.why}</p>}
        {problem && <ProblemBox problem={problem} compact />}
        <Buttons onClose={onClose} busy={busy} word={`Record: ${dispositionWord[chosen].toLowerCase()}`} off={off(chosen) ? 'Choose another verdict.' : null} />
      </form>
    </Dialog>
  );
}

export function AssignDialog({ targets, onClose, onDone }: Props) {
  const meant = useMeant(targets);
  const [users, setUsers] = useState<User[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [words, setWords] = useState('');
  useEffect(() => {
    call('users').then((r) => setUsers(r.users), (e: unknown) => setProblem(problemFor(e)));
  }, []);
  const give = async (user: string | null) => {
    const refused = await assign(meant, user);
    setProblem(refused);
    if (refused) return;
    onClose();
    onDone();
  };
  const matching = (users ?? []).filter((u) => `${u.display} ${u.user}`.toLowerCase().includes(words.toLowerCase()));
  return (
    <Dialog title={`Assign ${subject(meant)}`} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); const first = matching[0]; if (first) void give(first.user); }}>
        <label class="field">To whom?<input type="text" autofocus autocomplete="off" value={words} onInput={(e) => setWords(e.currentTarget.value)} placeholder="Name; Enter takes the first" /></label>
        {problem && <ProblemBox problem={problem} />}
        <ul class="people">
          {matching.map((u) => (
            <li key={u.user}><button type="button" onClick={() => void give(u.user)}><b>{u.display}</b><small>{u.roles.map((r) => roleWord[r] ?? r).join(', ')}</small></button></li>
          ))}
          {users && matching.length === 0 && <li class="dim">Nobody is called that.</li>}
        </ul>
        <div class="buttons">
          <button type="button" class="button" onClick={() => void give(null)}>Unassign</button>
          <button type="button" class="button" onClick={onClose}>Cancel</button>
        </div>
      </form>
    </Dialog>
  );
}

export function CommentDialog({ targets, onClose, onDone }: Props) {
  const meant = useMeant(targets);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || text.trim() === '') return;
    setBusy(true);
    const refused = await comment(meant, text.trim());
    setProblem(refused);
    setBusy(false);
    if (refused) return;
    onClose();
    onDone();
  };
  return (
    <Dialog title={`Comment on ${subject(meant)}`} onClose={onClose}>
      <form onSubmit={(e) => void submit(e)}>
        <label class="field">Comment<textarea rows={5} autofocus maxLength={10000} value={text} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={submitOnCtrlEnter} /></label>
        {problem && <ProblemBox problem={problem} compact />}
        <Buttons onClose={onClose} busy={busy} word="Add comment" off={text.trim() === '' ? 'Write something first.' : null} />
      </form>
    </Dialog>
  );
}

export function submitOnCtrlEnter(e: KeyboardEvent): void {
  if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
    e.preventDefault();
    (e.currentTarget as HTMLTextAreaElement).form?.requestSubmit();
  }
}

export function Buttons({ onClose, busy, word, off }: { onClose: () => void; busy: boolean; word: string; off?: string | null }) {
  return (
    <div class="buttons">
      {off && <span class="buttons-why" id="why-off">{off}</span>}
      <button type="button" class="button" onClick={onClose}>Cancel</button>
      <button type="submit" class="button button-primary" aria-disabled={busy || Boolean(off)} {...(off ? { 'aria-describedby': 'why-off' } : {})}>{word}</button>
    </div>
  );
}

export function Ask({ ask, choice, ...props }: Props & { ask: AskKind | null; choice?: DispositionChoice }) {
  if (!ask) return null;
  if (ask.kind === 'verdict') return <VerdictDialog {...props} preset={ask.preset} choice={choice} />;
  return ask.kind === 'assign' ? <AssignDialog {...props} /> : <CommentDialog {...props} />;
}
