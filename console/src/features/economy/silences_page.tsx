// Silences & budgets: what is kept out of the queue, by whom, why and until when. The address says which tab and, with ?from=, that a new
// silence is being written from an incident.
import { useEffect, useState } from 'preact/hooks';
import { useKeys } from '../../app/keys';
import { location, setQuery } from '../../app/router';
import { denial, may, me } from '../../app/session';
import { note } from '../../app/toasts';
import { call, problemFor } from '../../api/client';
import { onChange } from '../../api/live';
import type { Problem, Silence, SilencePage, SilencePolicy } from '../../gen/api';
import { incidentPath } from '../../lib/ids';
import { counted, formatCount } from '../../lib/words';
import { Dialog } from '../../ui/dialog';
import { Buttons } from '../../ui/incident_dialogs';
import { usePaged } from '../../ui/paged';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Tabs, tabOf, type TabSpec } from '../../ui/tabs';
import { Ago, Instant } from '../../ui/time';
import { Budgets } from './budgets';
import { emptyDraft, fromProposal, sentence, severitiesWord, type Draft } from './draft';
import { Held } from './held';
import { SilenceForm } from './silence_form';

const STANDING = 'pending,scheduled,active';
const stateWord: Record<Silence['state'], string> = { pending: 'Waits for a second person', scheduled: 'Scheduled', active: 'Active', ended: 'Ended' };
const endWord: Record<string, string> = { expired: 'expired', revoked: 'revoked', refused: 'refused' };

export function SilencesPage() {
  const query = new URLSearchParams(location.value.query);
  const ended = query.get('state') === 'ended';
  const list = usePaged<Silence, SilencePage>(ended ? 'ended' : STANDING, (cursor, signal) => call('listSilences', { query: { state: ended ? 'ended' : STANDING, ...(cursor === undefined ? {} : { cursor }) }, signal }));
  const first = list.pages[0];
  const tabs: TabSpec[] = [{ key: 'silences', label: 'Silences', ...(first ? { count: first.total.value } : {}) }, { key: 'held', label: 'Held alerts', ...(first ? { count: first.held } : {}) }, { key: 'budgets', label: 'Budgets' }];
  const tab = tabOf(location.value.query, tabs);
  const why = denial('silence.create');
  const [writing, setWriting] = useState<{ draft: Draft; attack: boolean } | null>(null);
  const begin = () => { if (why) note(why); else setWriting({ draft: emptyDraft(!may('silence.manage')), attack: false }); };
  useEffect(() => { document.title = 'Silences · OpenVSOC'; }, []);
  useEffect(() => onChange((c) => { if (!c || c.topic === 'silence' || c.topic === 'alert') list.reload(); }), []);
  useKeys({ n: begin });
  useProposal(query.get('from'), query.get('proposal'), why, setWriting);
  const close = () => { setWriting(null); if (query.has('from')) setQuery({ from: '', proposal: '' }, { replace: true }); };
  return (
    <main id="content" class="economy" tabIndex={-1}>
      <div class="viewbar">
        <h1>Silences and budgets</h1>
        <button type="button" class="button button-primary" {...(why ? { 'aria-disabled': true, title: why } : {})} onClick={begin}>New silence <kbd>n</kbd></button>
      </div>
      <Tabs tabs={tabs} current={tab} label="Silences and budgets" />
      <div id="tab-panel" class={`tab-panel tab-${tab}`} role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {list.problem && <ProblemBox problem={list.problem} retry={list.reload} compact />}
        {tab === 'silences' && <List list={list.rows} loaded={first !== undefined} ended={ended} total={list.total} more={list.more} reload={list.reload} />}
        {tab === 'held' && <Held silence={query.get('silence') ?? 'any'} />}
        {tab === 'budgets' && <Budgets />}
      </div>
      {writing && first && <SilenceForm start={writing.draft} attack={writing.attack} policy={first.policy as SilencePolicy} onClose={close} onDone={() => { close(); list.reload(); }} />}
    </main>
  );
}

/** ?from=INC-7 opens the form with what the incident suggests; with ?proposal=n, what its over-budget page proposes. */
function useProposal(from: string | null, proposal: string | null, why: string | null, open: (w: { draft: Draft; attack: boolean }) => void): void {
  useEffect(() => {
    if (from === null || why) return;
    let wanted = true;
    const junior = !may('silence.manage');
    const load = async () => {
      const p = await call('proposeSilence', { params: { id: from } });
      const over = proposal === null ? null : (await call('getIncident', { params: { id: from } })).over_budget;
      const matchers = over?.proposals[Number(proposal)]?.matchers;
      const draft = fromProposal(p, junior);
      if (wanted) open({ draft: matchers ? { ...draft, matchers, reason: '' } : draft, attack: p.attack });
    };
    load().catch((error: unknown) => note(problemFor(error).detail));
    return () => { wanted = false; };
  }, [from, proposal]);
}

interface ListProps { list: readonly Silence[]; loaded: boolean; ended: boolean; total: number; more: () => void; reload: () => void }

function List({ list, loaded, ended, total, more, reload }: ListProps) {
  const [asked, setAsked] = useState<{ silence: Silence; act: 'revoke' | 'approve' | 'refuse' } | null>(null);
  const choose = (state: string) => () => setQuery({ state });
  return (
    <>
      <div class="segmented" role="group" aria-label="Which silences">
        <button type="button" aria-pressed={!ended} onClick={choose('')}>Standing</button>
        <button type="button" aria-pressed={ended} onClick={choose('ended')}>Ended</button>
      </div>
      {!loaded && <Skeleton rows={6} label="Loading silences" />}
      {loaded && list.length === 0 && <Empty title={ended ? 'No silence has ended' : 'No silence stands'}><p>Everything that rules find comes to the queue. Make a silence for what is known to be benign for a while: a test, a workshop, a defect that is being fixed.</p></Empty>}
      {list.length > 0 && (
        <div class="table-scroll" tabIndex={0} role="group" aria-label="Silences">
          <table class="list silences">
            <caption class="visually-hidden">{ended ? 'Ended silences' : 'Standing silences'}</caption>
            <thead><tr><th scope="col">Silence</th><th scope="col">What it holds</th><th scope="col">Why</th><th scope="col">By</th><th scope="col">{ended ? 'Ended' : 'Ends'}</th><th scope="col" class="r">Holds</th><th scope="col" class="r">Got through</th><th scope="col"><span class="visually-hidden">Acts</span></th></tr></thead>
            <tbody>{list.map((s) => <Row key={s.id} silence={s} onAsk={(act) => setAsked({ silence: s, act })} />)}</tbody>
          </table>
          {list.length < total && <p><button type="button" class="button" onClick={more}>Show more of {formatCount(total)}</button></p>}
        </div>
      )}
      {asked && <ActDialog key={asked.silence.id} {...asked} onClose={() => setAsked(null)} onDone={() => { setAsked(null); reload(); }} />}
    </>
  );
}

function Row({ silence: s, onAsk }: { silence: Silence; onAsk: (act: 'revoke' | 'approve' | 'refuse') => void }) {
  const own = me.value?.user === s.author;
  const severities = severitiesWord(s.severities);
  return (
    <tr>
      <th scope="row"><a class="mono" href={`/silences?tab=held&silence=${s.id}`} title="The alerts that it holds or held">{s.id}</a> <span class={`badge ${s.state === 'active' ? 'badge-good' : s.state === 'pending' ? 'badge-warn' : ''}`}>{stateWord[s.state]}</span></th>
      <td class="what">{sentence(s.matchers)}{severities !== '' && <span class="dim"> · {severities}</span>}{s.vehicles_max > 0 && <span class="dim"> · up to {counted(s.vehicles_max, 'vehicle', 'vehicles')}</span>}</td>
      <td class="why"><b>{s.cause_title}.</b> {s.reason}{s.ticket !== null && <span class="dim"> {s.ticket}</span>}{s.incident !== null && <> <a href={incidentPath(s.incident)}>{s.incident}</a></>}</td>
      <td>{s.author}{s.approved_by !== null && <span class="dim">, {s.approved_by}</span>}</td>
      <td>{s.ended !== null ? <><Ago at={s.ended} /> <span class="dim">{endWord[s.ended_why ?? ''] ?? s.ended_why}{s.ended_by !== 'system' && ` by ${s.ended_by}`}</span></> : <Instant at={s.expires} />}</td>
      <td class="r num">{formatCount(s.ended === null ? s.held : s.held_ever)}</td>
      <td class="r num">{s.through === 0 ? <span class="dim">0</span> : <b>{formatCount(s.through)}</b>}</td>
      <td class="acts">
        {s.state === 'pending' && may('silence.approve') && !own && <><button type="button" class="button" onClick={() => onAsk('approve')}>Approve</button> <button type="button" class="button" onClick={() => onAsk('refuse')}>Refuse</button></>}
        {s.state !== 'ended' && (own || may('silence.manage')) && <button type="button" class="button" onClick={() => onAsk('revoke')}>Revoke</button>}
      </td>
    </tr>
  );
}

const actTitle = { revoke: 'End', approve: 'Approve', refuse: 'Refuse' };

function ActDialog({ silence, act, onClose, onDone }: { silence: Silence; act: 'revoke' | 'approve' | 'refuse'; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const off = reason.trim().length < 3 ? 'Say why.' : null;
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || off !== null) return;
    setBusy(true);
    try {
      const params = { id: silence.id };
      if (act === 'revoke') await call('revokeSilence', { params, body: { reason: reason.trim() } });
      else await call('judgeSilence', { params, body: { approve: act === 'approve', reason: reason.trim() } });
      note(act === 'revoke' ? `${silence.id} has ended; what it held and still stands is in the queue.` : `${silence.id} ${act === 'approve' ? 'holds alerts now' : 'was refused'}.`);
      onDone();
    } catch (error) {
      setProblem(problemFor(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`${actTitle[act]} ${silence.id}`} onClose={onClose}>
      <form onSubmit={(e) => void submit(e)}>
        <p>{sentence(silence.matchers)}.</p>
        {act === 'revoke' && silence.held > 0 && <p>{counted(silence.held, 'alert is', 'alerts are')} held now. Those that still stand come to the queue, within the rule's budget.</p>}
        <label class="field">Reason<textarea name="reason" rows={2} autofocus maxLength={2000} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
        {problem && <ProblemBox problem={problem} compact />}
        <Buttons onClose={onClose} busy={busy} word={`${actTitle[act]} ${silence.id}`} off={off} />
      </form>
    </Dialog>
  );
}
