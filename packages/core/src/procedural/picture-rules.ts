/**
 * Which rules pictures are drawn by: raised whenever a seed gives other pictures than before, so that no run goes on with
 * others than it began with.
 */
export const pictureRules = 3;
