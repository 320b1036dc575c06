/** The columns that fit into `room` pixels: the highest rank leaves first, of equals the later one; rank 1 stays whatever happens. */
export function fittingColumns<C extends { width: number; rank: number }>(columns: readonly C[], room: number): C[] {
  const kept = [...columns];
  const width = () => kept.reduce((sum, c) => sum + c.width, 0);
  while (width() > room) {
    const worst = kept.reduce((a, b) => (b.rank >= a.rank ? b : a));
    if (worst.rank === 1) break;
    kept.splice(kept.indexOf(worst), 1);
  }
  return kept;
}
