import type { Activation, NodeFields } from '../onnx/graph-builder.ts';
import { slideCount } from '../onnx/lower-convolutions.ts';
import type { LayerLowerings, LayerSite } from './layer-site.ts';

function pool(site: LayerSite, kind: 'maxPool2d' | 'averagePool2d'): Activation {
  const windowSize = site.pair('pool_size', [2, 2]);
  const strides = site.pair('strides', windowSize);
  const padding = site.padding(windowSize, strides);
  const [height, width, channels] = site.mapSizes;
  const size = [
    slideCount(height, padding.top + padding.bottom, windowSize[0], strides[0], 1),
    slideCount(width, padding.left + padding.right, windowSize[1], strides[1], 1),
    channels,
  ];
  // What lies beside the maps counts for nothing in Keras.
  const fields: NodeFields =
    kind === 'maxPool2d'
      ? { kind, windowSize, strides, padding }
      : { kind, windowSize, strides, padding, countsPadding: false };
  return site.addMaps(fields, size);
}

function poolAll(site: LayerSite, operation: 'mean' | 'max'): Activation {
  const axes = site.mapAxes;
  const { maps } = site;
  const [, , channels] = site.mapSizes;
  const keeps = site.flag('keepdims', false);
  const fields: NodeFields =
    operation === 'mean' && !keeps
      ? { kind: 'globalAveragePool2d' }
      : { kind: 'reduce', operation, axes: [0, 1], keepDimensions: keeps };
  const node = site.builder.add(site.name, fields, [maps.node]);
  if (!keeps) return { node, shape: [1, channels], order: [1] };
  const shape = [1, 1, 1, 1].with(axes.channels, channels);
  return { node, shape, order: maps.order };
}

/** Over the places of a sequence `[places, channels]`. */
function poolRow(site: LayerSite, operation: 'mean' | 'max'): Activation {
  const { input } = site;
  if (input.shape.length !== 3) site.refuse(`it reads a tensor of rank ${input.shape.length}: only 3 is supported`);
  const [places, channels] = site.isChannelsFirst ? [2, 1] : [1, 2];
  const rows = site.builder.arrange(site.name, input, [places, channels]);
  const keeps = site.flag('keepdims', false);
  const fields: NodeFields = { kind: 'reduce', operation, axes: [0], keepDimensions: keeps };
  const node = site.builder.add(site.name, fields, [rows.node]);
  if (!keeps) return { node, shape: [1, input.shape[channels]], order: [1] };
  return { node, shape: input.shape.with(places, 1), order: [places, channels] };
}

/** Pooling. */
export const lowerPooling: LayerLowerings = {
  MaxPooling2D: (site) => pool(site, 'maxPool2d'),
  AveragePooling2D: (site) => pool(site, 'averagePool2d'),
  GlobalAveragePooling2D: (site) => poolAll(site, 'mean'),
  GlobalMaxPooling2D: (site) => poolAll(site, 'max'),
  GlobalAveragePooling1D: (site) => poolRow(site, 'mean'),
  GlobalMaxPooling1D: (site) => poolRow(site, 'max'),
};
