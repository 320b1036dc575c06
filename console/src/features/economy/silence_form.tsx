// The form of a new silence. What it would have held in the last seven days stands beside it while one writes, and so does the reason why it
// would be refused; nothing is sent before the button is pressed.
import { useEffect, useState } from 'preact/hooks';
import { note } from '../../app/toasts';
import { call, isAbort, problemFor } from '../../api/client';
import type { Matcher, Problem, Silence, SilencePolicy, SilenceTrial } from '../../gen/api';
import { counted, formatCount, severityWord } from '../../lib/words';
import { Dialog } from '../../ui/dialog';
import { Buttons } from '../../ui/incident_dialogs';
import { ProblemBox } from '../../ui/states';
import { Instant } from '../../ui/time';
import { DURATIONS, FIELDS, fieldWord, severities, toRequest, type Draft } from './draft';

const REST_MS = 350;

interface Props { start: Draft; attack: boolean; policy: SilencePolicy; onClose: () => void; onDone: (made: Silence) => void }

export function SilenceForm({ start, attack, policy, onClose, onDone }: Props) {
  const [draft, setDraft] = useState(start);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const { trial, trying } = useTrial(draft);
  const change = (part: Partial<Draft>) => setDraft((d) => ({ ...d, ...part }));
  const refusal = trial?.refusal ?? null;
  const off = draft.reason.trim().length < 5 ? 'Say why, so that the next shift understands.' : refusal && refusal.field !== 'reason' ? 'See what is wrong beside the form.' : null;
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || off !== null) return;
    setBusy(true);
    try {
      const made = await call('createSilence', { body: toRequest(draft) });
      note(made.state === 'pending' ? `${made.id} waits for a second person.` : `${made.id} holds alerts now.`);
      onDone(made);
    } catch (error) {
      setProblem(problemFor(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={draft.incident === null ? 'New silence' : `Silence from ${draft.incident}`} onClose={onClose} wide class="silence-form">
      <form onSubmit={(e) => void submit(e)}>
        <div class="silence-columns">
          <div>
            <Matchers list={draft.matchers} onChange={(matchers) => change({ matchers })} />
            <fieldset class="silence-severities">
              <legend>Severities</legend>
              {severities.map((s) => (
                <label key={s} class="check">
                  <input type="checkbox" name={`severity-${s}`} checked={draft.severities.includes(s)} onChange={(e) => change({ severities: e.currentTarget.checked ? [...draft.severities, s] : draft.severities.filter((x) => x !== s) })} />
                  {severityWord[s]}
                </label>
              ))}
            </fieldset>
            <div class="silence-pair">
              <label class="field">Cause
                <select name="cause" value={draft.cause} onChange={(e) => change({ cause: e.currentTarget.value as Draft['cause'] })}>
                  {policy.causes.map((c) => <option key={c.cause} value={c.cause}>{c.title}</option>)}
                </select>
              </label>
              <label class="field">For
                <select name="minutes" value={String(draft.minutes)} onChange={(e) => change({ minutes: Number(e.currentTarget.value) })}>
                  {DURATIONS.filter((d) => d.minutes <= policy.days_max * 1440).map((d) => <option key={d.minutes} value={String(d.minutes)}>{d.word}</option>)}
                </select>
              </label>
            </div>
            <label class="field">Reason<textarea name="reason" rows={3} maxLength={2000} value={draft.reason} onInput={(e) => change({ reason: e.currentTarget.value })} placeholder="What makes these alerts benign, and until when?" /></label>
            <label class="field">Starts, UTC<input name="starts" type="datetime-local" value={draft.starts} onInput={(e) => change({ starts: e.currentTarget.value.slice(0, 16) })} title="For a planned maintenance window; empty = at once" /></label>
            <div class="silence-pair">
              <label class="field">Ticket<input name="ticket" type="text" maxLength={120} value={draft.ticket} onInput={(e) => change({ ticket: e.currentTarget.value })} placeholder="Optional" /></label>
              <label class="field">At most so many vehicles<input name="vehicles" type="number" min={0} max={1000000} value={String(draft.vehiclesMax)} onInput={(e) => change({ vehiclesMax: Math.max(0, Math.floor(Number(e.currentTarget.value) || 0)) })} title="Alerts of further vehicles are not held; 0 = any number" /></label>
            </div>
          </div>
          <Preview trial={trial} trying={trying} attack={attack} policy={policy} />
        </div>
        {problem && <ProblemBox problem={problem} compact />}
        <Buttons onClose={onClose} busy={busy} word={trial?.needs_second ? 'Ask for a second person' : 'Silence'} off={off} />
      </form>
    </Dialog>
  );
}

/** Asks what the draft would do, once it rests. */
function useTrial(draft: Draft): { trial: SilenceTrial | null; trying: boolean } {
  const request = toRequest(draft);
  const key = JSON.stringify(request);
  const [state, setState] = useState<{ trial: SilenceTrial | null; trying: boolean }>({ trial: null, trying: true });
  useEffect(() => {
    const abort = new AbortController();
    setState((s) => ({ ...s, trying: true }));
    const timer = setTimeout(() => {
      call('previewSilence', { body: request, signal: abort.signal }).then(
        (trial) => setState({ trial, trying: false }),
        (error: unknown) => {
          if (isAbort(error) || abort.signal.aborted) return;
          const p = problemFor(error);
          setState((s) => ({ trial: s.trial && { ...s.trial, refusal: { code: p.code, field: p.field ?? null, detail: p.detail } }, trying: false }));
        },
      );
    }, REST_MS);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [key]);
  return state;
}

function Matchers({ list, onChange }: { list: Matcher[]; onChange: (list: Matcher[]) => void }) {
  const put = (i: number, part: Partial<Matcher>) => onChange(list.map((m, at) => (at === i ? { ...m, ...part } : m)));
  return (
    <fieldset class="matchers">
      <legend>Which alerts</legend>
      {list.map((m, i) => (
        <div class="matcher" key={i}>
          <select aria-label={`Field ${i + 1}`} value={m.field} onChange={(e) => put(i, { field: e.currentTarget.value })}>
            {[...new Set([...FIELDS, m.field])].map((f) => <option key={f} value={f}>{fieldWord[f] ?? f}</option>)}
          </select>
          <select aria-label={`Operator ${i + 1}`} value={m.op} onChange={(e) => put(i, { op: e.currentTarget.value as Matcher['op'] })}>
            <option value="is">is</option><option value="glob">is like (* ?)</option>
          </select>
          <input type="text" aria-label={`Value ${i + 1}`} class="mono" maxLength={256} value={m.value} onInput={(e) => put(i, { value: e.currentTarget.value })} autofocus={i === 0} />
          <button type="button" class="icon-button" aria-label={`Remove condition ${i + 1}`} disabled={list.length === 1} onClick={() => onChange(list.filter((_, at) => at !== i))}>×</button>
        </div>
      ))}
      <button type="button" class="link" onClick={() => onChange([...list, { field: 'model', op: 'is', value: '' }])}>Add a condition</button>
      <p class="dim">The same field twice means either. Different fields must all hold, for every vehicle of the alert.</p>
    </fieldset>
  );
}

function Preview({ trial, trying, attack, policy }: { trial: SilenceTrial | null; trying: boolean; attack: boolean; policy: SilencePolicy }) {
  const p = trial?.preview;
  return (
    <aside class="silence-preview" aria-label="Preview" aria-live="polite" aria-busy={trying}>
      <h3>In the last 7 days</h3>
      {!p ? <p class="dim">Looking.</p> : p.looked_at === 0 && trial?.refusal ? <p class="silence-figure"><b class="num">0</b> alerts looked at.</p> : (
        <>
          <p class="silence-figure"><b class="num">{formatCount(p.alerts)}</b> of {formatCount(p.looked_at)} alerts would have been held{p.complete || p.looked_at === 0 ? '' : ' (of those looked at)'}.</p>
          <dl class="facts">
            <dt>Vehicles</dt><dd class="num">{formatCount(p.vehicles)}</dd>
            <dt>Incidents</dt><dd class="num">{formatCount(p.incidents)}</dd>
            <dt>In the queue</dt><dd>{p.in_queue === 0 ? 'none' : `${counted(p.in_queue, 'alert stays', 'alerts stay')} there`}</dd>
            <dt>Graver</dt><dd>{p.graver === 0 ? 'none' : `${counted(p.graver, 'alert gets', 'alerts get')} through`}</dd>
          </dl>
          {p.rules.length > 0 && <ul class="silence-rules">{p.rules.map((r) => <li key={r.rule}><span class="mono">{r.rule}</span> <span class="num">{formatCount(r.alerts)}</span></li>)}</ul>}
          {p.malicious > 0 && <p class="silence-warn"><b>{counted(p.malicious, 'of these incidents was an attack', 'of these incidents were attacks')}.</b> This silence would have hidden {p.malicious === 1 ? 'it' : 'them'}.</p>}
        </>
      )}
      {attack && <p class="silence-warn"><b>This incident was judged malicious.</b> Silence it only when the attack is known and handled elsewhere.</p>}
      {trial?.refusal && trial.refusal.field !== 'reason' && <p class="field-wrong">{trial.refusal.detail.charAt(0).toUpperCase() + trial.refusal.detail.slice(1)}.</p>}
      {trial && !trial.refusal && <p>Ends <Instant at={trial.expires} />.{trial.needs_second ? ' A second person has to approve it first.' : ''}</p>}
      <p class="dim">Nothing is dropped: held alerts are stored, counted and listed. One that becomes graver, or is seen on more than {policy.spread_factor} times its vehicles, comes to the queue.</p>
    </aside>
  );
}
