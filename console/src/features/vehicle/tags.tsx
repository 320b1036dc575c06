// What people know of a vehicle that no event tells. Silences may name a tag, so a tag is given with a reason and can end by itself.
import { useState } from 'preact/hooks';
import { denial } from '../../app/session';
import { call, problemFor } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Problem, VehicleTags } from '../../gen/api';
import { Dialog } from '../../ui/dialog';
import { Buttons } from '../../ui/incident_dialogs';
import { ProblemBox } from '../../ui/states';
import { Ago } from '../../ui/time';

const SUGGESTED = ['test-fleet', 'workshop', 'press-car', 'research'];

export function Tags({ vid }: { vid: string }) {
  const tags = useResource(vid, (signal) => call('listVehicleTags', { params: { vid }, signal }));
  const [asked, setAsked] = useState<{ remove: string | null } | null>(null);
  const why = denial('vehicle.tag');
  const off = why ? ({ 'aria-disabled': true, title: why } as const) : {};
  const ask = (remove: string | null) => () => { if (!why) setAsked({ remove }); };
  if (tags.problem && !tags.data) return <ProblemBox problem={tags.problem} retry={tags.reload} compact />;
  return (
    <>
      {tags.data && tags.data.tags.length === 0 && <p class="section-why">None. Tag a vehicle of the test fleet or in the workshop, then silence the tag.</p>}
      <ul class="vehicle-tags">
        {tags.data?.tags.map((t) => (
          <li key={t.tag}><span class="badge">{t.tag}</span> <span>{t.reason}</span> <span class="dim">{t.who}, <Ago at={t.since} />{t.until !== null && <>, until {t.until.slice(0, 10)}</>}</span> <button type="button" class="link" {...off} aria-label={`Remove ${t.tag}`} onClick={ask(t.tag)}>Remove</button></li>
        ))}
      </ul>
      <p><button type="button" class="button" {...off} onClick={ask(null)}>Add a tag</button></p>
      {asked && <TagDialog vid={vid} remove={asked.remove} onClose={() => setAsked(null)} onDone={(data) => { tags.set(data); setAsked(null); }} />}
    </>
  );
}

function TagDialog({ vid, remove, onClose, onDone }: { vid: string; remove: string | null; onClose: () => void; onDone: (tags: VehicleTags) => void }) {
  const [tag, setTag] = useState(remove ?? '');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const off = tag.trim() === '' ? 'Name the tag.' : reason.trim().length < 3 ? 'Say why.' : null;
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || off !== null) return;
    setBusy(true);
    try {
      onDone(await call(remove === null ? 'addVehicleTag' : 'removeVehicleTag', { params: { vid }, body: { tag: tag.trim(), reason: reason.trim() } }));
    } catch (error) {
      setProblem(problemFor(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={remove === null ? 'Tag this vehicle' : `Remove the tag ${remove}`} onClose={onClose}>
      <form onSubmit={(e) => void submit(e)}>
        {remove === null && <label class="field">Tag<input name="tag" type="text" list="tags-known" maxLength={32} autofocus autocomplete="off" value={tag} onInput={(e) => setTag(e.currentTarget.value)} placeholder="a-z, 0-9, _ and -" /></label>}
        <datalist id="tags-known">{SUGGESTED.map((t) => <option key={t} value={t} />)}</datalist>
        <label class="field">Reason<input name="reason" type="text" maxLength={400} autofocus={remove !== null} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
        {problem && <ProblemBox problem={problem} compact />}
        <Buttons onClose={onClose} busy={busy} word={remove === null ? 'Add the tag' : 'Remove the tag'} off={off} />
      </form>
    </Dialog>
  );
}
