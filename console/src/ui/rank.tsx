import type { RankTerm } from '../gen/api';

/** The terms of an incident's rank, so that nobody has to guess why it stands where it stands. */
export function RankTable({ rank, total }: { rank: RankTerm[]; total: number }) {
  if (rank.length === 0) return <p class="dim">The rank has no terms yet.</p>;
  return (
    <table class="rank">
      <caption class="visually-hidden">Terms of the rank</caption>
      <tbody>
        {rank.map((t) => (
          <tr key={t.term}>
            <th scope="row">{t.term}</th>
            <td class="rank-text">{t.text}</td>
            <td class="num">{t.points >= 0 ? '+' : ''}{Math.round(t.points * 10) / 10}</td>
          </tr>
        ))}
        <tr class="rank-total"><th scope="row">rank</th><td class="rank-text">out of 100</td><td class="num">{Math.round(total)}</td></tr>
      </tbody>
    </table>
  );
}
