// Campaigns that fleet statistics found: the list, and one with its curve by the hour and the reasons of its verdict.
import { useEffect } from 'preact/hooks';
import { navigate, type Route } from '../../app/router';
import { useKeys } from '../../app/keys';
import { call } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Campaign, CampaignDetail, CampaignPage } from '../../gen/api';
import { formatTime } from '../../lib/time';
import { counted, formatCount } from '../../lib/words';
import { usePaged } from '../../ui/paged';
import { Empty, ProblemBox, Skeleton } from '../../ui/states';
import { Ago, Instant, useZone } from '../../ui/time';
import { cohortOf, formatExpected, leaning, quietWhy, summaryOf, verdictWord } from './words';

const WIDTH = 960;
const HEIGHT = 120;
const LEFT = 44;
const BOTTOM = 18;

const pathOf = (id: string): string => `/campaigns/${encodeURIComponent(id)}`;
const percent = (share: number): string => `${Math.round(100 * share)} %`;

export function CampaignsPage({ route }: { route: Route }) {
  return route.name === 'campaigns' && route.id !== null ? <One key={route.id} id={route.id} /> : <List />;
}

function List() {
  const list = usePaged<Campaign, CampaignPage>('campaigns', (cursor, signal) => call('listCampaigns', { query: cursor === undefined ? {} : { cursor }, signal }));
  useEffect(() => { document.title = 'Campaigns · OpenVSOC'; }, []);
  return (
    <main id="content" class="economy" tabIndex={-1}>
      <div class="viewbar"><h1>Campaigns</h1>{list.pages.length > 0 && <p class="viewbar-end dim">{counted(list.total, 'campaign', 'campaigns')}</p>}</div>
      {list.problem && <ProblemBox problem={list.problem} retry={list.reload} />}
      {list.pages.length === 0 && !list.problem && <Skeleton rows={8} label="Loading campaigns" />}
      {list.pages.length > 0 && list.rows.length === 0 && <Empty title="No campaign has been found"><p>Fleet statistics need a week of baseline before they look.</p></Empty>}
      {list.rows.length > 0 && <Table rows={list.rows} />}
      {list.pages[list.pages.length - 1]?.next && <p><button type="button" onClick={list.more} disabled={list.loading}>Show more</button></p>}
    </main>
  );
}

function Table({ rows }: { rows: readonly Campaign[] }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Campaigns">
      <table class="list">
        <caption class="visually-hidden">Campaigns</caption>
        <thead><tr><th scope="col">Signature</th><th scope="col">Verdict</th><th scope="col">Where</th><th scope="col" class="r">Vehicles</th><th scope="col" class="r">Usual</th><th scope="col">Found</th><th scope="col">State</th><th scope="col">Incident</th></tr></thead>
        <tbody>
          {rows.map((c) => (
            <tr key={c.id}>
              <th scope="row"><a class="mono" href={pathOf(c.id)}>{c.signature}</a></th>
              <td>{verdictWord[c.verdict]}</td>
              <td>{cohortOf(c)}</td>
              <td class="r num">{formatCount(c.vehicles)}</td>
              <td class="r num">{formatExpected(c.expected)}</td>
              <td><Ago at={c.detected} /></td>
              <td>{c.state}</td>
              <td>{c.incident === null ? <span class="dim" title={quietWhy(c)}>none</span> : <a href={`/incidents/${c.incident}`}>{c.incident}</a>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function One({ id }: { id: string }) {
  const one = useResource(id, (signal) => call('getCampaign', { params: { id }, signal }));
  const d = one.data;
  useEffect(() => { document.title = 'Campaign · OpenVSOC'; }, []);
  useKeys({ Escape: () => navigate('/campaigns') });
  return (
    <main id="content" class="economy campaign" tabIndex={-1}>
      <div class="viewbar"><h1>{d ? verdictWord[d.campaign.verdict] : 'Campaign'}</h1><p class="viewbar-end"><a href="/campaigns">All campaigns</a></p></div>
      {one.problem && <ProblemBox problem={one.problem} retry={one.reload} />}
      {!d && !one.problem && <Skeleton rows={8} label="Loading the campaign" />}
      {d && <Facts c={d.campaign} />}
      {d && <Curve curve={d.curve} />}
      {d && <Reasons d={d} />}
    </main>
  );
}

function Facts({ c }: { c: Campaign }) {
  return (
    <dl class="facts">
      <dt>Signature</dt><dd class="mono">{c.signature}</dd>
      <dt>Where</dt><dd>{cohortOf(c)}, {percent(c.explains)} of the excess</dd>
      <dt>Vehicles</dt><dd>{formatCount(c.vehicles)} where {formatExpected(c.expected)} are usual</dd>
      <dt>Began</dt><dd><Instant at={c.first} /></dd>
      <dt>Found</dt><dd><Instant at={c.detected} />, score {c.score.toFixed(1)} over {c.threshold.toFixed(1)}</dd>
      <dt>Last</dt><dd><Instant at={c.last} />, {c.state}</dd>
      <dt>Shares</dt><dd>attack {percent(c.attack)}, software {percent(c.regression)}, hardware {percent(c.fault)}</dd>
      <dt>Baseline</dt><dd>{c.baseline === null ? 'none armed' : `version ${c.baseline}`}</dd>
      <dt>Incident</dt><dd>{c.incident === null ? quietWhy(c) || 'none' : <a href={`/incidents/${c.incident}`}>{c.incident}</a>}</dd>
    </dl>
  );
}

/** Cases as bars, what the baseline expects as a line over them. */
function Curve({ curve }: { curve: CampaignDetail['curve'] }) {
  const zone = useZone();
  const sum = summaryOf(curve);
  const step = (WIDTH - LEFT) / Math.max(1, curve.length);
  const y = (n: number) => HEIGHT - BOTTOM - (n / sum.top) * (HEIGHT - BOTTOM - 4);
  const line = curve.map((h, i) => `${i === 0 ? 'M' : 'L'}${(LEFT + (i + 0.5) * step).toFixed(1)} ${y(h.expected).toFixed(1)}`).join('');
  return (
    <figure class="activity">
      <figcaption><span>{sum.text}.</span><span class="dim">Bars: new vehicles by the hour. Line: usual.</span></figcaption>
      <svg class="bars" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={sum.text}>
        <text class="axis" x={LEFT - 6} y="12" text-anchor="end">{formatCount(sum.top)}</text>
        <text class="axis" x={LEFT - 6} y={HEIGHT - BOTTOM} text-anchor="end">0</text>
        {curve.map((h, i) => h.cases > 0 && <rect key={h.time} class="bar-critical" x={LEFT + i * step} y={y(h.cases)} width={Math.max(1, step - 1)} height={HEIGHT - BOTTOM - y(h.cases)}><title>{`${h.time}: ${h.cases}, usual ${h.expected.toFixed(2)}`}</title></rect>)}
        <path class="campaign-usual" d={line} />
        {[0, 0.25, 0.5, 0.75].map((f) => Math.floor(f * curve.length)).map((i) => { const h = curve[i]; return h && <text key={i} class="axis" x={LEFT + i * step} y={HEIGHT - 4}>{formatTime(h.time, zone).slice(5, 16)}</text>; })}
      </svg>
    </figure>
  );
}

function Reasons({ d }: { d: CampaignDetail }) {
  return (
    <section aria-label="Reasons">
      <h2>Why</h2>
      {d.reasons.length === 0 && <p class="dim">Nothing tells the readings apart.</p>}
      <ul>{d.reasons.map((r) => <li key={r.text}>{r.text} <span class="badge">{leaning(r, d.campaign.verdict)}</span></li>)}</ul>
    </section>
  );
}
