// The VIN is a secret of its owner. It is masked; revealing it asks for a purpose, is written to the audit log before it is shown, and ends
// by itself.
import { useEffect, useState } from 'preact/hooks';
import { call, problemFor } from '../../api/client';
import type { Problem, RevealResult } from '../../gen/api';
import { denial } from '../../app/session';
import { vinMask } from '../../lib/ids';
import { Dialog } from '../../ui/dialog';
import { Buttons } from '../../ui/incident_dialogs';
import { ProblemBox } from '../../ui/states';

const PURPOSE_MIN = 10;

export function Vin({ vid, known }: { vid: string; known: boolean }) {
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState<RevealResult | null>(null);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setShown(null), shown.hide_after_s * 1000);
    return () => clearTimeout(timer);
  }, [shown]);
  if (!known) return <span class="dim">not in the vault</span>;
  const why = denial('vin.reveal');
  return (
    <span class="vin">
      <span class="mono" aria-label={shown ? undefined : 'VIN, masked'} role={shown ? undefined : 'img'}>{shown ? shown.vin : vinMask}</span>
      {shown
        ? <><button type="button" class="link" onClick={() => setShown(null)}>Hide</button><span class="dim">audit #{shown.audit_seq}, hides after {shown.hide_after_s} s</span></>
        : why
          ? <><button type="button" class="link" aria-disabled="true" aria-describedby="reveal-why">Reveal</button><span id="reveal-why" class="dim">{why}</span></>
          : <button type="button" class="link" onClick={() => setAsking(true)}>Reveal</button>}
      {asking && <RevealDialog vid={vid} onClose={() => setAsking(false)} onShown={(r) => { setAsking(false); setShown(r); }} />}
    </span>
  );
}

function RevealDialog({ vid, onClose, onShown }: { vid: string; onClose: () => void; onShown: (r: RevealResult) => void }) {
  const [purpose, setPurpose] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const short = purpose.trim().length < PURPOSE_MIN;
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || short) return;
    setBusy(true);
    setProblem(null);
    try {
      onShown(await call('revealVin', { params: { vid }, body: { purpose: purpose.trim() } }));
    } catch (error) {
      setProblem(problemFor(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Reveal the VIN" onClose={onClose}>
      <form onSubmit={(e) => void submit(e)}>
        <p>A VIN is personal data. Your name, the purpose and the time go into the audit log before the VIN is shown.</p>
        <label class="field">Purpose<textarea name="purpose" rows={2} maxLength={400} autofocus value={purpose} onInput={(e) => setPurpose(e.currentTarget.value)} placeholder="For example: workshop recall order for INC-1042" /></label>
        {problem && <ProblemBox problem={problem} />}
        <Buttons onClose={onClose} busy={busy} word="Reveal" off={short ? `Say the purpose in at least ${PURPOSE_MIN} characters.` : null} />
      </form>
    </Dialog>
  );
}
