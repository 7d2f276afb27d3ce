/** How well `title` answers `query`: higher is better, null is not at all. Letters count in order; word starts more. */
export function score(title: string, query: string): number | null {
  const text = title.toLocaleLowerCase();
  const wanted = query.trim().toLocaleLowerCase();
  if (!wanted) return 0;
  const at = text.indexOf(wanted);
  if (at >= 0) return 100 - at + (at === 0 || text[at - 1] === " " ? 50 : 0);
  let position = 0;
  let points = 0;
  for (const letter of wanted) {
    if (letter === " ") continue;
    const found = text.indexOf(letter, position);
    if (found < 0) return null;
    points += found === 0 || text[found - 1] === " " ? 5 : 1;
    position = found + 1;
  }
  return points;
}
