// Moving an incident: what the daemon's table asks for stands in the form; what it refuses is said with its reason and nothing can be sent.
import { useState } from 'preact/hooks';
import { move as moveIncident } from '../../app/acts';
import type { Fact, Incident, Move, Problem } from '../../gen/api';
import { factHint, factWord, stageEntry, stageWord, wordOf } from '../../lib/words';
import { Buttons, submitOnCtrlEnter } from '../../ui/incident_dialogs';
import { Dialog } from '../../ui/dialog';
import { ProblemBox } from '../../ui/states';

interface Props { incident: Incident; move: Move; onClose: () => void }

const titleOf = (incident: Incident, move: Move): string => {
  const to = wordOf(stageWord, move.to);
  const verb = move.kind === 'back' ? 'Back to' : move.kind === 'reopen' ? 'Reopen in' : move.kind === 'close' ? 'Close:' : 'Move to';
  return move.kind === 'close' ? `Close ${incident.row.id}` : `${verb} ${to}: ${incident.row.id}`;
};

export function MoveDialog({ incident, move, onClose }: Props) {
  return (
    <Dialog title={titleOf(incident, move)} onClose={onClose}>
      {move.allowed ? <MoveForm incident={incident} move={move} onClose={onClose} /> : <Refusal incident={incident} move={move} onClose={onClose} />}
    </Dialog>
  );
}

function Refusal({ incident, move, onClose }: Props) {
  const now = wordOf(stageWord, incident.lifecycle.stage);
  const next = incident.lifecycle.moves.find((m) => m.kind === 'forward' && m.allowed);
  return (
    <div class="refusal" role="alert">
      <p><b>Not allowed.</b> {move.why}</p>
      <p class="dim">{wordOf(stageWord, move.to)}: {stageEntry[move.to] ?? ''} The incident is in {now}{next ? `; the next step is ${wordOf(stageWord, next.to)}` : ''}.</p>
      <div class="buttons"><button type="button" class="button" autofocus onClick={onClose}>Close</button></div>
    </div>
  );
}

function MoveForm({ incident, move, onClose }: Props) {
  const alternatives = move.needs.length > 0 ? move.needs : [[]];
  const given = Object.fromEntries(incident.facts.map((f) => [f.fact, f.text])) as Partial<Record<Fact, string>>;
  const [choice, setChoice] = useState(0);
  // A reason belongs to one move; the other facts are kept with the incident and stand here already.
  const [texts, setTexts] = useState<Partial<Record<Fact, string>>>({ ...given, reason: '' });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const facts = alternatives[choice] ?? [];
  const missing = facts.filter((f) => (texts[f] ?? '').trim() === '');
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || missing.length > 0) return;
    setBusy(true);
    setProblem(null);
    const body = Object.fromEntries(facts.map((f) => [f, (texts[f] ?? '').trim()]));
    const refused = await moveIncident(incident.row.id, { ...body, to: move.to, version: incident.row.version });
    setProblem(refused);
    setBusy(false);
    if (!refused) onClose();
  };
  const off = missing.length === 0 ? null : `Still needed: ${missing.map((f) => factWord[f] ?? f).join(', ')}.`;
  return (
    <form onSubmit={(e) => void submit(e)}>
      {move.why !== '' && <p class="dim">{move.why}</p>}
      {alternatives.length > 1 && (
        <fieldset class="choices choices-row">
          <legend>On which ground?</legend>
          {alternatives.map((a, i) => (
            <label key={a.join()} class="choice"><input type="radio" name="ground" checked={i === choice} onChange={() => setChoice(i)} /><span>{a.map((f) => factWord[f] ?? f).join(' + ')}</span></label>
          ))}
        </fieldset>
      )}
      {facts.map((f, i) => (
        <label key={f} class="field">
          {factWord[f] ?? f}
          <textarea name={f} rows={f === 'fix_ref' || f === 'tara_scenario' || f === 'component' ? 1 : 2} maxLength={4000} autofocus={i === 0} value={texts[f] ?? ''} placeholder={factHint[f] ?? ''}
            aria-invalid={problem?.missing?.includes(f) ?? false} onInput={(e) => setTexts({ ...texts, [f]: e.currentTarget.value })} onKeyDown={submitOnCtrlEnter} />
        </label>
      ))}
      {facts.length === 0 && <p>No further information is needed.</p>}
      {problem && <ProblemBox problem={problem} />}
      <Buttons onClose={onClose} busy={busy} word={move.kind === 'close' ? 'Close the incident' : `Move to ${wordOf(stageWord, move.to)}`} off={off} />
    </form>
  );
}
