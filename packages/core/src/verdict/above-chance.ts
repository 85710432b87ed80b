/**
 * The part of an agreement that chance does not explain: 0 for answers at random, 1 for none but right ones; negative below
 * chance.
 *
 * Source: Cohen, "A coefficient of agreement for nominal scales", 1960, kappa, where all classes occur equally often.
 *
 * @param agreement Share of equal answers, 0..1.
 * @param classes >= 2.
 */
export function aboveChance(agreement: number, classes: number): number {
  const chance = 1 / classes;
  return (agreement - chance) / (1 - chance);
}
