/** A stored run of `npm run bench:torch-models`, as far as the page shows it. */
export interface TorchModelsRecord {
  readonly torch: string;
  readonly rows: readonly {
    readonly network: string;
    readonly exporter: string;
    readonly side: number;
    readonly parameters?: number;
    readonly importSeconds?: number;
    readonly largestLogit: number;
    readonly logitDifference?: number;
    readonly fromFloat64?: { readonly wasm: number; readonly onnxruntime: number };
    readonly gradientDifference?: number;
    readonly halfShare?: number;
    readonly stepLoss?: number;
    readonly error?: string;
  }[];
}

/** Which networks of torchvision and timm are read, as a section in Markdown. */
export function renderTorchModels({ torch, rows }: TorchModelsRecord): string {
  const figure = (value: number | undefined): string => (value === undefined ? '-' : value.toExponential(1));
  const lines = rows.map((row) => {
    const cells = [
      row.network,
      row.exporter,
      String(row.side),
      row.parameters === undefined ? '-' : `${(row.parameters / 1e6).toFixed(1)} M`,
      row.importSeconds?.toFixed(1) ?? '-',
      row.largestLogit.toFixed(2),
      figure(row.logitDifference) +
        (row.fromFloat64 === undefined
          ? ''
          : ` (${figure(row.fromFloat64.wasm)}; ${figure(row.fromFloat64.onnxruntime)})`),
      figure(row.gradientDifference),
      row.halfShare === undefined ? '-' : `${(row.halfShare * 100).toFixed(0)} %`,
      row.error ?? (row.stepLoss === undefined ? '-' : 'runs'),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '## Networks of torchvision and timm',
    `From \`bench/results/torch-models.json\`: random weights, ten classes, written by both exporters of torch ${torch}. "logits" is the greatest difference from onnxruntime's (wasm, float32), in brackets, where it was compared, how far each is from what torch computes in float64 (wasm; onnxruntime), "gradient" the relative difference of a directional derivative from central differences (float64; not for pictures over 128 pixels), "half" the parameters of the student of half the width over the teacher's, "step" one step of DAFL with that student.`,
    [
      '| network | exporter | pixels | parameters | import, s | largest logit | logits | gradient | half | step |',
      '| --- | --- | --: | --: | --: | --: | --: | --: | --: | --- |',
      ...lines,
    ].join('\n'),
  ].join('\n\n');
}
