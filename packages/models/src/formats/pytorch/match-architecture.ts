import { DaflError, fail, type Graph, inferShapes, type ModelNode, showValue } from '@dafl/core';
import { type ArchitectureOptions, architectures } from '../../architectures/architectures.ts';
import type { Reject } from '../_reject.ts';
import { listParameters, type Parameter } from './list-parameters.ts';
import { type ModuleNaming, moduleNamings } from './module-names.ts';
import type { ParameterTensor, StateDict } from './state-dict.ts';

/** Which architecture weights are of, and where each tensor belongs. */
export interface MatchedArchitecture {
  readonly graph: Graph;
  readonly architecture: string;
  readonly naming: ModuleNaming;
  readonly parameters: readonly Parameter[];
  /** By PyTorch's names of the architecture, which may differ from the file's. */
  readonly tensors: ReadonlyMap<string, ParameterTensor>;
  readonly notes: readonly string[];
}

/** What is known beside the file. */
export interface MatchOptions {
  /** Key of `architectures`; absent: found by names and shapes. */
  readonly architecture?: string;
  /** Height and width of the pictures; absent: what the weights tell, or the architecture's own. */
  readonly inputSize?: readonly [height: number, width: number];
  /** Whether the file itself names the architecture. */
  readonly isNamedByFile?: boolean;
}

/** How the tensors of a file differ from those of an architecture. */
interface Faults {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly shapes: readonly string[];
}

interface Candidate {
  readonly architecture: string;
  readonly naming: ModuleNaming;
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
  readonly tensors: ReadonlyMap<string, ParameterTensor>;
  readonly faults: Faults;
  /** Whether widths were taken from the weights. */
  readonly isOtherWidth: boolean;
}

/** Faults that are named, of each sort. */
const MOST_SHOWN = 12;
/** Share of names that weights must have in common with an architecture for their differences to be worth telling. */
const LEAST_COMMON = 0.5;
/** Sides of pictures that are tried where the first dense layer tells them. */
const SIDES = [32, 28, 64, 96, 128, 160, 192, 224, 256];
/** What is counted in training: batches, and states that were averaged. */
const counters = /(^|\.)num_batches_tracked$|^n_averaged$/;
/** Prefixes that wrappers of modules add. */
const wrappers = /^(module|_orig_mod)\./;
/** What training programs call the network in which they also keep losses, metrics or another network. */
const networks = /^(model|net|network|backbone|encoder|student|ema_model)\./;
/** The one layer of a last layer that was made a sequence, with dropout around it. */
const lastInSequence = /^(fc|classifier|head|linear)\.\d+\.(weight|bias)$/;

/**
 * Finds the built-in architecture whose tensors a file has: by names first, then by shapes. Widths may differ from the
 * architecture's, as those of pruned networks and of students do.
 *
 * @throws {DaflError} `MODEL` if there is none or more than one; what is missing, unknown or of another shape is named at once.
 */
export function matchArchitecture(state: StateDict, options: MatchOptions, reject: Reject): MatchedArchitecture {
  const { architecture } = options;
  if (architecture !== undefined && !listNamed().includes(architecture)) {
    fail({
      cannot: 'read weights',
      as: `'architecture' must be one of [${listNamed().join(', ')}]`,
      value: showValue(architecture),
    });
  }
  const given = new Map([...state.tensors].filter(([key]) => !counters.test(key)));
  if (given.size === 0) reject('it must hold weights', 'none');
  const spellings = spell(given);
  const candidates = moduleNamings.flatMap((naming) =>
    naming.architectures
      .filter((name) => architecture === undefined || name === architecture)
      .flatMap((name) => spellings.map((tensors) => compare(name, naming, tensors, options)))
      .filter((candidate) => candidate !== undefined),
  );
  const exact = candidates.filter(({ faults }) => countFaults(faults) === 0);
  // A network of the published widths is no other one with changed widths.
  const best = exact.filter(({ isOtherWidth }) => !isOtherWidth);
  const chosen = choose(best.length > 0 ? best : exact, reject);
  if (chosen !== undefined) {
    const notes = noteMatch(chosen, options);
    const used = new Set(chosen.tensors.values());
    const unused = [...given].filter(([, tensor]) => !used.has(tensor)).map(([key]) => key);
    if (unused.length > 0) notes.push(`Tensors beside the network are left out: ${show(unused)}`);
    return { ...chosen, notes };
  }
  if (architecture !== undefined && state.isOrdered) {
    const ordered = matchInOrder(architecture, given, options);
    if (ordered !== undefined) return ordered;
  }
  return refuse(candidates, given, architecture, reject);
}

/** Ways to read the names: without prefixes, without what stands beside the network, and with the last layer by its plain name. */
function spell(given: ReadonlyMap<string, ParameterTensor>): ReadonlyMap<string, ParameterTensor>[] {
  const spellings = spellPrefixes(given);
  const prefix = [...given.keys()].map((key) => networks.exec(stripWrappers(key))?.[0]).find((found) => found);
  if (prefix !== undefined) {
    const within = [...given].filter(([key]) => stripWrappers(key).startsWith(prefix));
    if (within.length < given.size) spellings.push(...spellPrefixes(new Map(within)));
  }
  return spellings.flatMap((tensors) => {
    const layers = new Set(
      [...tensors.keys()].filter((key) => lastInSequence.test(key)).map((key) => key.replace(/\.\w+$/, '')),
    );
    if (layers.size !== 1) return [tensors];
    const renamed = [...tensors].map(([key, tensor]) => [key.replace(lastInSequence, '$1.$2'), tensor] as const);
    return [tensors, new Map(renamed)];
  });
}

/** The names as they are, and without prefixes that all have: `module.`, `model.`, `backbone.`. */
function spellPrefixes(given: ReadonlyMap<string, ParameterTensor>): ReadonlyMap<string, ParameterTensor>[] {
  let current = new Map([...given].map(([key, tensor]) => [stripWrappers(key), tensor]));
  const spellings = [current];
  for (let depth = 0; depth < 3; depth++) {
    const [first] = current.keys();
    const prefix = first.slice(0, first.indexOf('.') + 1);
    if (prefix === '' || ![...current.keys()].every((key) => key.startsWith(prefix))) break;
    current = new Map([...current].map(([key, tensor]) => [stripWrappers(key.slice(prefix.length)), tensor]));
    spellings.push(current);
  }
  return spellings;
}

function stripWrappers(key: string): string {
  let name = key;
  while (wrappers.test(name)) name = name.replace(wrappers, '');
  return name;
}

/** Undefined where the names have little in common. */
function compare(
  architecture: string,
  naming: ModuleNaming,
  tensors: ReadonlyMap<string, ParameterTensor>,
  options: MatchOptions,
): Candidate | undefined {
  const create = creatorOf(architecture);
  const { graph: base, parameters: named } = baseOf(architecture, naming);
  if (named === undefined) return undefined;
  const common = named.filter(({ key }) => tensors.has(key)).length;
  if (common < LEAST_COMMON * Math.max(named.length, tensors.size)) return undefined;
  const weightOf = (node: ModelNode | undefined): ParameterTensor | undefined =>
    tensors.get(named.find((parameter) => parameter.node === node && parameter.weight.endsWith('.kernel'))?.key ?? '');
  const classes = weightOf(base.nodes.find(({ name }) => name === base.outputs.logits))?.shape[0] ?? 0;
  const first = weightOf(base.nodes.find(({ kind }) => kind === 'conv2d' || kind === 'dense'))?.shape ?? [];
  const inputShape = inputShapeOf(base, first, options);
  const standard = attempt(() => create({ classes, inputShape }));
  const candidates: Candidate[] = [];
  const add = (graph: Graph | undefined, isOtherWidth: boolean): void => {
    const parameters = graph === undefined ? undefined : attempt(() => listParameters(graph, naming));
    if (graph === undefined || parameters === undefined) return;
    const faults = findFaults(parameters, tensors);
    candidates.push({ architecture, naming, graph, parameters, tensors, faults, isOtherWidth });
  };
  const sides = options.inputSize === undefined ? SIDES.map((side) => [side, side] as const) : [];
  for (const size of [[inputShape[0], inputShape[1]] as const, ...sides]) {
    const shape = [...size, inputShape[2]] as const;
    const sized = shape.join() === inputShape.join() ? standard : attempt(() => create({ classes, inputShape: shape }));
    const wanted = sized ?? attempt(() => create({ inputShape: shape }));
    if (wanted === undefined) continue;
    add(sized, false);
    if (countFaults(candidates.at(-1)?.faults) === 0) break;
    add(withWidths(wanted, naming, tensors), true);
    if (countFaults(candidates.at(-1)?.faults) === 0) break;
    // Only flattened maps tell the size of the pictures.
    if (!base.nodes.some(({ kind }) => kind === 'flatten')) break;
  }
  if (candidates.length === 0) add(base, false);
  return candidates.reduce<Candidate | undefined>(
    (least, each) => (least === undefined || countFaults(each.faults) < countFaults(least.faults) ? each : least),
    undefined,
  );
}

interface Base {
  readonly graph: Graph;
  readonly parameters: readonly Parameter[] | undefined;
}

/** Made once: every file of weights is compared with all of them. */
const bases = new Map<ModuleNaming, Map<string, Base>>();

function baseOf(architecture: string, naming: ModuleNaming): Base {
  const known = bases.get(naming) ?? new Map<string, Base>();
  bases.set(naming, known);
  const made = known.get(architecture);
  if (made !== undefined) return made;
  const graph = creatorOf(architecture)();
  const base = { graph, parameters: listParameters(graph, naming) };
  known.set(architecture, base);
  return base;
}

function creatorOf(architecture: string): (options?: ArchitectureOptions) => Graph {
  const known = architectures.get(architecture)!;
  return (options) => known.create(options);
}

/** Height, width and channels, as far as the first layer tells. */
function inputShapeOf(
  base: Graph,
  first: readonly number[],
  { inputSize }: MatchOptions,
): readonly [number, number, number] {
  const [height, width, channels] = base.inputShape;
  const [rows, columns] = inputSize ?? [height, width];
  if (first.length === 4) return [rows, columns, first[1] > 0 ? first[1] : channels];
  const [, size] = first;
  const perPixel = size / (rows * columns);
  if (Number.isInteger(perPixel)) return [rows, columns, Math.max(1, perPixel)];
  const side = [1, 3]
    .map((depth) => [Math.sqrt(size / depth), depth] as const)
    .find(([length]) => Number.isInteger(length));
  return side === undefined ? [rows, columns, channels] : [side[0], side[0], side[1]];
}

/** What `make` gives, or undefined where sizes do not fit. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof DaflError) return undefined;
    throw error;
  }
}

/** The graph with as many channels as the weights have. */
function withWidths(
  graph: Graph,
  naming: ModuleNaming,
  tensors: ReadonlyMap<string, ParameterTensor>,
): Graph | undefined {
  const parameters = listParameters(graph, naming) ?? [];
  const widths = new Map(
    parameters
      .filter(({ weight }) => weight.endsWith('.kernel'))
      .map(({ key, node }) => [node.name, tensors.get(key)?.shape[0]]),
  );
  const nodes = graph.nodes.map((node): ModelNode => {
    const width = widths.get(node.name);
    if (width === undefined || width < 1) return node;
    if (node.kind === 'dense') return { ...node, units: width };
    if (node.kind !== 'conv2d') return node;
    return { ...node, filters: width, groups: node.groups === node.filters && node.groups > 1 ? width : node.groups };
  });
  const changed = { ...graph, nodes };
  return attempt(() => {
    inferShapes(changed);
    return changed;
  });
}

function findFaults(parameters: readonly Parameter[], tensors: ReadonlyMap<string, ParameterTensor>): Faults {
  const keys = new Set(parameters.map(({ key }) => key));
  return {
    missing: parameters.filter(({ key }) => !tensors.has(key)).map(({ key }) => key),
    extra: [...tensors.keys()].filter((key) => !keys.has(key)),
    shapes: parameters.flatMap(({ key, shape }) => {
      const tensor = tensors.get(key);
      if (tensor === undefined || tensor.shape.join() === shape.join()) return [];
      return [`${key} [${tensor.shape.join(', ')}] for [${shape.join(', ')}]`];
    }),
  };
}

function countFaults(faults: Faults | undefined): number {
  return faults === undefined ? Infinity : faults.missing.length + faults.extra.length + faults.shapes.length;
}

/** The one that fits, or the one of those that the number of classes tells apart. */
function choose(fitting: readonly Candidate[], reject: Reject): Candidate | undefined {
  const different = fitting.filter(
    ({ graph }, index) => fitting.findIndex((other) => describe(other.graph) === describe(graph)) === index,
  );
  if (different.length <= 1) return different[0];
  // The classes of ImageNet, with pictures of its size.
  const classes = classesOf(different[0]);
  const imagenet = different.filter(({ graph }) => graph.inputShape[0] > 100);
  if (classes === 1000 && imagenet.length === 1) return imagenet[0];
  return reject(
    `its weights fit several architectures: say which by 'architecture'`,
    `[${different.map(({ architecture }) => architecture).join(', ')}]`,
  );
}

const describe = ({ nodes, inputShape }: Graph): string => JSON.stringify([nodes, inputShape]);

function classesOf({ graph }: { readonly graph: Graph }): number {
  const logits = graph.nodes.find(({ name }) => name === graph.outputs.logits);
  return logits?.kind === 'dense' ? logits.units : 0;
}

function noteMatch(
  { architecture, naming, graph, isOtherWidth }: Omit<Candidate, 'faults' | 'tensors' | 'parameters'>,
  options: MatchOptions,
): string[] {
  const how =
    options.architecture === undefined
      ? 'by its names and shapes'
      : options.isNamedByFile === true
        ? 'as its metadata says'
        : 'as told';
  const [height, width] = graph.inputShape;
  const widths = isOtherWidth ? ', with other widths' : '';
  const size =
    options.inputSize === undefined ? ` Its pictures are taken to be ${height}x${width} (--input-size).` : '';
  return [
    `It holds weights alone: the architecture is ${architecture}${widths}, ${how} (of ${naming.source}; --architecture).${size}`,
  ];
}

/** Tensors under names that are not known, whose shapes are in order those of the architecture that was named. */
function matchInOrder(
  architecture: string,
  given: ReadonlyMap<string, ParameterTensor>,
  { inputSize }: MatchOptions,
): MatchedArchitecture | undefined {
  const naming = moduleNamings.find(({ architectures: known }) => known.includes(architecture))!;
  const create = creatorOf(architecture);
  const [height, width] = inputSize ?? create().inputShape;
  const tensors = [...given.values()];
  const channels = tensors[0].shape.length === 4 ? tensors[0].shape[1] : create().inputShape[2];
  const classes = tensors.findLast(({ shape }) => shape.length === 2)?.shape[0] ?? 0;
  const graph = attempt(() => create({ classes, inputShape: [height, width, channels] }));
  const parameters = graph === undefined ? undefined : listParameters(graph, naming);
  if (graph === undefined || parameters?.length !== tensors.length) return undefined;
  if (!parameters.every(({ shape }, index) => shape.join() === tensors[index].shape.join())) return undefined;
  const notes = noteMatch({ architecture, naming, graph, isOtherWidth: false }, { architecture, inputSize });
  return {
    graph,
    architecture,
    naming,
    parameters,
    tensors: new Map(parameters.map(({ key }, index) => [key, tensors[index]])),
    notes: [...notes, 'The names of its tensors are not known: they are taken in their order, which fits by shapes'],
  };
}

function refuse(
  candidates: readonly Candidate[],
  given: ReadonlyMap<string, ParameterTensor>,
  architecture: string | undefined,
  reject: Reject,
): never {
  const [nearest] = candidates.toSorted((left, right) => countFaults(left.faults) - countFaults(right.faults));
  if (nearest === undefined) {
    return reject(
      `its tensors must be those of ${architecture ?? `a built-in architecture [${listNamed().join(', ')}]`} by PyTorch's names (export other networks to ONNX: torch.onnx.export)`,
      show([...given.keys()]),
    );
  }
  const { missing, extra, shapes } = nearest.faults;
  const faults = [
    missing.length > 0 ? `missing ${show(missing)}` : '',
    extra.length > 0 ? `not of it ${show(extra)}` : '',
    shapes.length > 0 ? `of another shape ${show(shapes)}` : '',
  ].filter((fault) => fault !== '');
  return reject(
    `its tensors must be those of ${nearest.architecture} by the names of ${nearest.naming.source}${architecture === undefined ? ', the nearest architecture' : ''} (export other networks to ONNX: torch.onnx.export)`,
    faults.join('; '),
  );
}

/** Names, as many as a message holds. */
function show(names: readonly string[]): string {
  const shown = names.slice(0, MOST_SHOWN).map((name) => showValue(name).slice(1, -1));
  const rest = names.length - shown.length;
  return `[${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}]`;
}

/** Architectures whose names in PyTorch are known. */
export function listNamed(): string[] {
  return [...new Set(moduleNamings.flatMap((naming) => naming.architectures))];
}
