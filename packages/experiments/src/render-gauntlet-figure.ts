import { type Figure, renderDotPlot } from '@dafl/run/report';
import type { GauntletLine } from './summarize-gauntlet.ts';

/** The gauntlet: a line for each teacher, with its own accuracy and those of its students. */
export function renderGauntletFigure(lines: readonly GauntletLine[]): Figure {
  return renderDotPlot({
    title: 'Accuracy of teachers and students',
    series: ['teacher', 'real-data student', 'default', 'DAFL, fast preset'],
    rows: lines.map(({ teacher, accuracy, real, default: cell, dafl }) => ({
      name: teacher.label,
      values: [accuracy, real, cell?.mean ?? null, dafl?.mean ?? null],
    })),
    format: (value) => `${Number(value.toFixed(2))} %`,
    most: 100,
  });
}
