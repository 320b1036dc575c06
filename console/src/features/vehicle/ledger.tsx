// The loss ledger of one vehicle: what it produced, and where every record went. The parts add up to what was produced, always; when they
// do not, that is said.
import type { VehicleLedger } from '../../gen/api';
import { ledgerOff } from '../../lib/figures';
import { formatCount, formatShare } from '../../lib/words';
import { Ago } from '../../ui/time';

type Part = 'stored' | 'merged' | 'dead_lettered' | 'missing';
const parts: { key: Part; word: string; text: string }[] = [
  { key: 'stored', word: 'Stored', text: 'in the event log' },
  { key: 'merged', word: 'Merged', text: 'duplicates and aggregates, each attributed to a filter' },
  { key: 'dead_lettered', word: 'Dead letter', text: 'kept with the reason why they could not be used' },
  { key: 'missing', word: 'Missing', text: 'produced by the vehicle, never received' },
];

export function Ledger({ ledger }: { ledger: VehicleLedger }) {
  if (ledger.produced === 0) return <p class="section-why">The vehicle has not numbered any record yet. Until it does, completeness is unknown, not good.</p>;
  const off = ledgerOff(ledger);
  let x = 0;
  return (
    <div class="ledger">
      <p class="ledger-head"><b class="num">{formatCount(ledger.produced)}</b> produced, <b class={`num${ledger.missing > 0 ? ' is-bad' : ''}`}>{formatShare(ledger.produced - ledger.missing, ledger.produced)}</b> accounted for</p>
      <svg class="ledger-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        {parts.map(({ key }) => {
          // Whatever is there stays visible, however small.
          const width = ledger[key] === 0 ? 0 : Math.max(0.8, (100 * ledger[key]) / ledger.produced);
          const at = Math.min(x, 100 - width);
          x += width;
          return <rect key={key} class={`ledger-${key}`} x={at} y="0" width={width} height="6" />;
        })}
      </svg>
      <table class="mini">
        <caption class="visually-hidden">Where the records went</caption>
        <tbody>
          {parts.map(({ key, word, text }) => (
            <tr key={key}><th scope="row" title={text}><span class={`key ledger-${key}`} aria-hidden="true" /> {word}</th><td class="r num">{formatCount(ledger[key])}</td><td class="r num dim">{formatShare(ledger[key], ledger.produced)}</td></tr>
          ))}
        </tbody>
      </table>
      {off !== 0 && <p class="is-bad">The parts differ from what was produced by {formatCount(off)}. This is a fault of the backend; report it.</p>}
      {ledger.gaps.length > 0 && (
        <table class="mini">
          <caption>Gaps, newest first</caption>
          <thead><tr><th scope="col">Epoch</th><th scope="col">Sequence</th><th scope="col" class="r">Records</th><th scope="col">Noticed</th><th scope="col">Reason</th></tr></thead>
          <tbody>
            {ledger.gaps.map((g) => (
              <tr key={`${g.epoch} ${g.seq_first}`}><td class="num">{g.epoch}</td><th scope="row" class="num nowrap">{g.seq_first === g.seq_last ? g.seq_first : `${g.seq_first}–${g.seq_last}`}</th><td class="r num">{formatCount(g.seq_last - g.seq_first + 1)}</td><td><Ago at={g.noticed} none="unknown" /></td><td>{g.reason ?? <span class="dim">unknown</span>}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
