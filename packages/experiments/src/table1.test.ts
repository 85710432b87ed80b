import { parseDistillationOptions } from '@dafl/run';
import { expect, test } from 'vitest';
import { publishedFigure } from '../../run/src/report/published-figure.ts';
import { table1 } from './table1.ts';

test('its figures are those that reports of the same runs give', () => {
  const compared = table1.rows.flatMap(({ published, task }) => {
    if (published === null || task.kind !== 'distill' || task.options.teacher !== 'lenet5-mnist') return [];
    const figure = publishedFigure(parseDistillationOptions({ method: 'dafl', ...task.options }));
    expect(figure).toEqual({
      accuracy: expect.closeTo(published / 100, 10) as number,
      label: expect.any(String) as string,
    });
    return figure?.label.split(',')[0];
  });
  expect(compared).toEqual(['original-data', 'noise', 'alternative-data', 'metadata', 'DAFL', 'DAFL', 'DAFL']);
});
