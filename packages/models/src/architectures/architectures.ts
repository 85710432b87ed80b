import type { Graph } from '@dafl/core';
import { airbench } from './airbench.ts';
import { alexnet } from './alexnet.ts';
import type { ArchitectureOptions } from './_graph-builder.ts';
import { hintonNet } from './hintonnet.ts';
import { lenet5 } from './lenet5.ts';
import { mobilenetV2 } from './mobilenet-v2.ts';
import { resnet } from './resnet.ts';
import { vgg } from './vgg.ts';
import { vggImagenet } from './vgg-imagenet.ts';
import { wideResnet } from './wide-resnet.ts';

export type { ArchitectureOptions };

/** A network that can be had by name, without weights. */
export interface Architecture {
  /** One line for listings. */
  readonly description: string;

  /** @throws {DaflError} `USAGE` if an option is out of range. */
  create(options?: ArchitectureOptions): Graph;
}

const entry = (
  name: string,
  description: string,
  create: (options?: ArchitectureOptions) => Graph,
): readonly [string, Architecture] => [name, { description, create }];

/**
 * The built-in architectures by name.
 *
 * @example
 * ```ts
 * architectures.get('resnet18')?.create({ classes: 100 });
 * ```
 */
export const architectures: ReadonlyMap<string, Architecture> = new Map([
  entry('lenet5', 'LeNet-5 for 32x32 images of one channel', (options) => lenet5(options)),
  entry('lenet5-half', 'LeNet-5 at half the width', (options) => lenet5({ ...options, width: 0.5 })),
  entry('hintonnet', '784-1200-1200-10, fully connected', (options) => hintonNet(options)),
  entry('hintonnet-800', '784-800-800-10, fully connected', (options) => hintonNet({ ...options, units: 800 })),
  entry('airbench', 'airbench94 for 32x32 images, trained in a few epochs', (options) => airbench(options)),
  entry('airbench-0.75', 'airbench94 at three quarters of the width', (options) =>
    airbench({ ...options, width: 0.75 }),
  ),
  entry('airbench-0.5', 'airbench94 at half the width', (options) => airbench({ ...options, width: 0.5 })),
  entry('resnet18', 'ResNet-18 for small images', (options) => resnet(18, options)),
  entry('resnet34', 'ResNet-34 for small images', (options) => resnet(34, options)),
  entry('resnet50', 'ResNet-50 for small images', (options) => resnet(50, options)),
  entry('resnet20', 'ResNet-20 of the CIFAR family', (options) => resnet(20, options)),
  entry('resnet32', 'ResNet-32 of the CIFAR family', (options) => resnet(32, options)),
  entry('resnet56', 'ResNet-56 of the CIFAR family', (options) => resnet(56, options)),
  entry('wrn-16-1', 'WideResNet-16-1', (options) => wideResnet(16, 1, options)),
  entry('wrn-16-2', 'WideResNet-16-2', (options) => wideResnet(16, 2, options)),
  entry('wrn-40-1', 'WideResNet-40-1', (options) => wideResnet(40, 1, options)),
  entry('wrn-40-2', 'WideResNet-40-2', (options) => wideResnet(40, 2, options)),
  entry('vgg8', 'VGG-8 with batch norm for small images', (options) => vgg(8, options)),
  entry('vgg11', 'VGG-11 with batch norm for small images', (options) => vgg(11, options)),
  entry('mobilenetv2', 'MobileNetV2', (options) => mobilenetV2(options)),
  entry('mobilenetv2-imagenet', 'MobileNetV2 for images of 224 pixels', (options) =>
    mobilenetV2({ ...options, form: 'imagenet' }),
  ),
  ...([18, 34, 50, 101] as const).map((layers) =>
    entry(`resnet${layers}-imagenet`, `ResNet-${layers} for images of 224 pixels`, (options) =>
      resnet(layers, { ...options, form: 'imagenet' }),
    ),
  ),
  ...([11, 16] as const).flatMap((layers) => [
    entry(`vgg${layers}-imagenet`, `VGG-${layers} for images of 224 pixels`, (options) => vggImagenet(layers, options)),
    entry(`vgg${layers}-bn-imagenet`, `VGG-${layers} with batch norm for images of 224 pixels`, (options) =>
      vggImagenet(layers, { ...options, hasBatchNorm: true }),
    ),
  ]),
  entry('alexnet', 'AlexNet for images of 224 pixels', (options) => alexnet(options)),
]);
