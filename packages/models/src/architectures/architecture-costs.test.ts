import { createRandomStream, describeModel, inheritWeights, initializeWeights, shrink } from '@dafl/core';
import { describe, expect, test } from 'vitest';
import { architectures, type ArchitectureOptions } from './architectures.ts';

/**
 * Published costs. HintonNet: irapha/replayed_distillation. ResNet-18/34 at 32x32: Chen et al., ICCV 2019, table 3 (11 and
 * 21 M; 557 M and 1.16 G with what is not a multiplication). ResNet-20/32/56: He et al., CVPR 2016, table 6 (0.27, 0.46 and
 * 0.85 M). Wide ResNets: 0.17, 0.69, 0.56 and 2.2 M (Zagoruyko and Komodakis, 2016, and the data-free literature). VGG with
 * 100 classes: HobbitLong/RepDistiller. ResNet-50 at 32x32: kuangliu/pytorch-cifar. Networks with 1000 classes at 224x224:
 * torchvision's documentation (MobileNetV2 3,504,872 and 0.30 G; AlexNet 61,100,840 and 0.71; ResNet-18 11,689,512 and 1.81,
 * ResNet-50 25,557,032 and 4.09, ResNet-101 44,549,160 and 7.80; VGG-11 132,863,336 and 7.61, VGG-16 with batch norm
 * 138,365,992 and 15.47).
 */
test.each<[string, ArchitectureOptions, number, number]>([
  ['hintonnet', {}, 2_395_210, 2_392_800],
  ['hintonnet-800', {}, 1_276_810, 1_275_200],
  ['airbench', {}, 1_972_792, 118_146_000],
  ['resnet18', {}, 11_173_962, 555_422_720],
  ['resnet34', {}, 21_282_122, 1_159_402_496],
  ['resnet50', {}, 23_520_842, 1_297_829_888],
  ['resnet18-imagenet', {}, 11_689_512, 1_814_073_344],
  ['resnet50-imagenet', {}, 25_557_032, 4_089_184_256],
  ['resnet101-imagenet', {}, 44_549_160, 7_801_405_440],
  ['vgg11-imagenet', {}, 132_863_336, 7_609_090_048],
  ['vgg16-bn-imagenet', {}, 138_365_992, 15_470_264_320],
  ['mobilenetv2-imagenet', {}, 3_504_872, 300_774_272],
  ['resnet20', {}, 272_474, 40_813_184],
  ['resnet32', {}, 466_906, 69_124_736],
  ['resnet56', {}, 855_770, 125_747_840],
  ['wrn-16-1', {}, 175_066, 26_657_920],
  ['wrn-16-2', {}, 691_674, 101_106_944],
  ['wrn-40-1', {}, 563_930, 83_281_024],
  ['wrn-40-2', {}, 2_243_546, 327_599_360],
  ['vgg8', { classes: 100 }, 3_965_028, 96_192_512],
  ['vgg11', { classes: 100 }, 9_277_284, 209_438_720],
  ['mobilenetv2', { classes: 1000, inputShape: [224, 224, 3] }, 3_504_872, 300_774_272],
  ['alexnet', {}, 61_100_840, 714_188_480],
])('%s %j has the published cost', (name, options, parameters, multiplyAccumulates) => {
  const description = describeModel(architectures.get(name)!.create(options));
  expect(description.parameters).toBe(parameters);
  expect(description.multiplyAccumulates / multiplyAccumulates).toBeCloseTo(1, 3);
});

describe('every architecture', () => {
  const names = [...architectures.keys()].filter(
    (name) => name !== 'alexnet' && !name.endsWith('-imagenet') && name !== 'resnet50',
  );

  test.each(names)('%s can be halved, and the half takes its first weights from the whole', (name) => {
    const graph = architectures.get(name)!.create({ classes: 7 });
    const student = shrink(graph, 0.5);
    const whole = initializeWeights(graph, createRandomStream(1, 'weights'));
    expect(inheritWeights(whole, student).graph).toBe(student);
    expect(describeModel(student).parameters).toBeLessThan(describeModel(graph).parameters * 0.55);
  });

  test.each(names)('%s reads images of another size and number of channels', (name) => {
    const graph = architectures.get(name)!.create({ inputShape: [64, 64, 2] });
    expect(graph.inputShape).toEqual([64, 64, 2]);
    expect(graph.preprocessing?.mean).toHaveLength(2);
  });

  test.each(names)('%s rejects what is out of range', (name) => {
    expect(() => architectures.get(name)!.create({ classes: 1 })).toThrow(/'classes' must be an integer >= 2/);
  });
});
