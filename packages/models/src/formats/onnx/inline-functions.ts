import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import type { OnnxAttribute, OnnxFunction, OnnxGraph, OnnxModel, OnnxNode, OnnxReference } from './parse-onnx.ts';
import { isGraph } from './subgraphs.ts';

/** Functions that call each other; exporters nest them as a network's modules are nested. */
const DEEPEST_CALL = 32;
/** Nodes that all calls make together. */
const MOST_NODES = 20_000;
/** Letters of the names in them: a few calls of long names ask for any amount of memory. */
const MOST_LETTERS = 2 ** 25;

/** How the names and attributes of a function's nodes are those of its caller. */
interface Call {
  readonly rename: (name: string) => string;
  /** Undefined in the file's own graph, where nothing stands for another attribute. */
  readonly attributes?: ReadonlyMap<string, OnnxAttribute>;
  readonly opset?: number;
  /** Before the names of its nodes. */
  readonly prefix: string;
  /** Functions that are being called. */
  readonly open: readonly OnnxFunction[];
}

/**
 * Puts the nodes of a file's own functions where they are called: exporters write what they know no operator for as
 * functions, whole modules too.
 */
export function inlineFunctions(model: OnnxModel, reject: Reject): OnnxModel {
  const { functions = [] } = model;
  if (functions.length === 0) return model;
  return { ...model, nodes: new Inliner(functions, reject).inline(model), functions: [] };
}

class Inliner {
  readonly #functions: ReadonlyMap<string, OnnxFunction>;
  readonly #reject: Reject;
  #nodes = 0;
  #letters = 0;
  #calls = 0;

  constructor(functions: readonly OnnxFunction[], reject: Reject) {
    this.#functions = new Map(functions.map((each) => [keyOf(each.domain, each.name, each.overload), each] as const));
    this.#reject = reject;
  }

  inline(graph: OnnxGraph): OnnxNode[] {
    return this.#expand(graph.nodes, { rename: (name) => name, prefix: '', open: [] });
  }

  #expand(nodes: readonly OnnxNode[], call: Call): OnnxNode[] {
    return nodes.flatMap((given) => {
      const node = this.#take(given, call);
      const called = this.#functions.get(keyOf(node.domain, node.operator, node.overload ?? ''));
      return called === undefined ? [node] : this.#call(called, node, call.open);
    });
  }

  /** A node as it is where its function is called. */
  #take(node: OnnxNode, call: Call): OnnxNode {
    const { rename, opset, prefix } = call;
    const attributes = new Map<string, OnnxAttribute>();
    for (const [key, value] of node.attributes) {
      if (isGraph(value)) attributes.set(key, this.#takeGraph(value, call));
      else if (!isReference(value)) attributes.set(key, value);
      // What neither the caller gives nor the function is left out, so that the operator's own default holds.
      else if (call.attributes?.has(value.reference)) attributes.set(key, call.attributes.get(value.reference));
    }
    const taken = {
      ...node,
      name: `${prefix}${node.name || node.operator}`,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
      attributes,
      ...(opset !== undefined && { opset }),
    };
    this.#spend(taken);
    return prefix === '' ? { ...taken, name: node.name } : taken;
  }

  #takeGraph(graph: OnnxGraph, call: Call): OnnxGraph {
    const rename = <Named extends { readonly name: string }>(each: Named): Named => ({
      ...each,
      name: call.rename(each.name),
    });
    this.#spendNames([...graph.initializers, ...graph.inputs, ...graph.outputs].map(({ name }) => name));
    return {
      ...graph,
      nodes: this.#expand(graph.nodes, call),
      initializers: graph.initializers.map(rename),
      inputs: graph.inputs.map(rename),
      outputs: graph.outputs.map(rename),
    };
  }

  #call(called: OnnxFunction, node: OnnxNode, open: readonly OnnxFunction[]): OnnxNode[] {
    const name = showValue(called.name);
    if (open.includes(called)) this.#reject('its functions must not call themselves', name);
    if (open.length >= DEEPEST_CALL)
      this.#reject(`its functions must call each other at most ${DEEPEST_CALL} deep`, name);
    if (node.inputs.length > called.inputs.length || node.outputs.length > called.outputs.length)
      this.#reject('a function must be called with as many tensors as it has', name);
    const given = new Map(called.inputs.map((input, index) => [input, node.inputs[index] ?? '']));
    const made = new Map<string, string>();
    const passed: OnnxNode[] = [];
    for (const [index, output] of called.outputs.entries()) {
      const wanted = node.outputs[index] ?? '';
      if (wanted === '') continue;
      // What a function passes on, or gives twice, is made by no node of its own.
      const source = given.get(output) ?? made.get(output);
      if (source === undefined) made.set(output, wanted);
      else
        passed.push({
          ...node,
          operator: 'Identity',
          domain: '',
          inputs: [source],
          outputs: [wanted],
          attributes: new Map(),
        });
    }
    // Keeps the names of each call apart: those that exporters write do not have this character.
    const mark = `\0${++this.#calls}`;
    const nodes = this.#expand(called.nodes, {
      rename: (inner) => (inner === '' ? '' : (given.get(inner) ?? made.get(inner) ?? `${inner}${mark}`)),
      attributes: new Map([...called.defaults, ...node.attributes]),
      opset: called.opset,
      prefix: `${node.name || called.name}/`,
      open: [...open, called],
    });
    for (const each of passed) this.#spend(each);
    return [...nodes, ...passed];
  }

  #spend({ name, inputs, outputs, attributes }: OnnxNode): void {
    if (++this.#nodes > MOST_NODES) this.#reject(`its functions must make at most ${MOST_NODES} nodes`, 'more');
    this.#spendNames([name, ...inputs, ...outputs, ...attributes.keys()]);
  }

  #spendNames(names: readonly string[]): void {
    // An entry of a list costs something, however short its name is.
    for (const name of names) this.#letters += name.length + 8;
    if (this.#letters > MOST_LETTERS)
      this.#reject(`its functions must make names of at most ${MOST_LETTERS} letters`, 'more');
  }
}

function keyOf(domain: string, name: string, overload: string): string {
  return [domain, name, overload].join('\0');
}

function isReference(value: OnnxAttribute): value is OnnxReference {
  return typeof value === 'object' && 'reference' in value;
}
