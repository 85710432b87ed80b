/**
 * Data-free knowledge distillation: the method, the networks and the loop, for any backend and any runtime.
 *
 * @module
 */
export type {
  AdamStepOptions,
  AdamStepResult,
  AveragePool2dOptions,
  BatchNormGradient,
  BatchNormResult,
  BinaryOperation,
  ChannelStatistics,
  Conv2dOptions,
  DataType,
  FusedKernels,
  MemoryInfo,
  Padding2d,
  Pool2dOptions,
  ReduceOperation,
  RunningStatistics,
  Shape,
  Size2d,
  SoftmaxDivergenceResult,
  Tensor,
  TensorBackend,
  TensorData,
  UnaryOperation,
} from './backend.ts';
export { check, fail, type Failure } from './check.ts';
export { DaflError, type ErrorCode } from './errors.ts';
export { createRandomStream, type RandomStream, type RandomStreamState } from './random.ts';

export type { AnswerImages, Graph, HostTensor, Model, ModelNode, NodeOfKind, Preprocessing } from './model/model.ts';
export type { ActivationFunction, ActivationNode } from './model/nodes/activation.ts';
export type { AddNode } from './model/nodes/add.ts';
export type { AffineNode } from './model/nodes/affine.ts';
export type { AveragePoolNode } from './model/nodes/average-pool2d.ts';
export type { BatchNormNode } from './model/nodes/batch-norm.ts';
export type { ConcatNode } from './model/nodes/concat.ts';
export type { Conv2dNode } from './model/nodes/conv2d.ts';
export type { DenseNode } from './model/nodes/dense.ts';
export type { DropoutNode } from './model/nodes/dropout.ts';
export type { FlattenNode } from './model/nodes/flatten.ts';
export type { GlobalAveragePoolNode } from './model/nodes/global-average-pool2d.ts';
export type { MaxPoolNode } from './model/nodes/max-pool2d.ts';
export type { MultiplyNode } from './model/nodes/multiply.ts';
export type { PadNode } from './model/nodes/pad2d.ts';
export type { ReshapeNode } from './model/nodes/reshape.ts';
export type { UpsampleNode } from './model/nodes/upsample-nearest2d.ts';
export { type Classifier, describeClassifier } from './model/classifier.ts';
export { describeModel, type ModelDescription, type NodeDescription } from './model/describe-model.ts';
export { type GraphCost, graphCost } from './model/graph-cost.ts';
export { inferShapes } from './model/infer-shapes.ts';
export type { NodeShapes, WeightSpecification } from './model/node-kind.ts';
export { foldBatchNorms } from './model/fold-batch-norms.ts';
export { inheritChannels, type InheritedModel, inheritWeights } from './model/inherit-weights.ts';
export { chooseHintNodes } from './model/choose-hints.ts';
export { initializeWeights } from './model/initialize-weights.ts';
export { createNetwork, type ForwardOptions, type Network } from './model/network.ts';
export { readGraph } from './model/read-graph.ts';
export { scaleLogits } from './model/scale-logits.ts';
export { takeLogits, type TakenLogits } from './model/take-logits.ts';
export { shrink } from './model/shrink.ts';
export { slideSize } from './model/slide-size.ts';
export { validateModel } from './model/validate-model.ts';
export { generatorGraph, type GeneratorOptions, type GeneratorOutput } from './generator.ts';

export { activationLoss } from './losses/activation.ts';
export { batchNormStatisticsLoss, type ObservedBatchNorm } from './losses/batch-norm-statistics.ts';
export { adversarialLoss, type AdversarialLossOptions } from './losses/adversarial.ts';
export { attentionLoss, attentionMap } from './losses/attention.ts';
export { type BatchNormDistance, batchNormDistance, type PastMoments } from './losses/batch-norm-distance.ts';
export { crossEntropy, type CrossEntropyOptions } from './losses/cross-entropy.ts';
export { distillationLoss, type DistillationLossOptions } from './losses/distillation.ts';
export { informationEntropyLoss } from './losses/information-entropy.ts';
export { jensenShannonLoss } from './losses/jensen-shannon.ts';
export { oneHotLoss } from './losses/one-hot.ts';
export { type StudentLoss, studentLoss, type StudentLossTargets } from './losses/student-loss.ts';
export { totalVariationLoss } from './losses/total-variation.ts';

export { createAdam } from './optimizers/adam.ts';
export { createOptimizer } from './optimizers/create-optimizer.ts';
export type { Optimizer, OptimizerOptions, OptimizerState } from './optimizers/optimizer.ts';
export { learningRateAt, type Schedule } from './optimizers/schedule.ts';
export { createSgd } from './optimizers/sgd.ts';

export type {
  AnsweredBatch,
  Method,
  MethodContext,
  CollapseAdvice,
  MethodSession,
  MethodState,
  MethodStep,
  SampledImages,
  StudentBatch,
} from './methods/method.ts';
export { dafl, type DaflOptions, type ReplayOptions } from './methods/dafl.ts';
export { ImagePool, type PoolBatch, type PooledImage } from './methods/image-pool.ts';
export { measureLogitScale } from './measure-logit-scale.ts';
export { procedural, type ProceduralOptions } from './methods/procedural.ts';
export type { ReplayBank } from './methods/replay-bank.ts';
export { type ReplayShapes, TensorReplayBank } from './methods/tensor-replay-bank.ts';

export { type ImageSet, sliceImageSet } from './data/image-set.ts';
export { preprocess, toPixels } from './data/preprocess.ts';

export { choosePictures, type ChoosePicturesOptions } from './procedural/choose-pictures.ts';
export { drawPicture, type PictureKind } from './procedural/draw-picture.ts';
export type { PictureSize } from './procedural/canvas.ts';
export { pictureFamilies, type PictureFamily, type PictureFamilyName } from './procedural/picture-families.ts';
export { type Checkpoint, type CheckpointPart, tensorsUnder } from './checkpoint.ts';
export type {
  CheckpointEvent,
  DistillEvent,
  EvaluationEvent,
  InterruptedEvent,
  NetworkSummary,
  PaceEvent,
  ResultEvent,
  SamplesEvent,
  StartEvent,
  StepEvent,
  StudentEvent,
  VerdictEvent,
  WarningEvent,
} from './distill-event.ts';
export { Examination, type ExaminationOptions, type Marks } from './verdict/examination.ts';
export { aboveChance } from './verdict/above-chance.ts';
export { judge, type Verdict, type VerdictBounds, verdictBounds, type VerdictTask } from './verdict/judge.ts';
export { distill, type DistillOptions, type StudentTraining } from './distill.ts';
export { type DrawnSamples, drawSamples, type DrawSamplesOptions } from './draw-samples.ts';
export { type Classification, classify } from './classify.ts';
export { evaluate, type EvaluateOptions, type Evaluation } from './evaluate.ts';
export { inferenceBatchSize } from './inference-batch-size.ts';
export { Pace, type PaceChange } from './pace.ts';
export { pickSamples } from './pick-samples.ts';
export { answerImages, argMaxRows, predictLogits, softmaxRows } from './predict.ts';
export { type Preset, presets } from './presets.ts';
export { showValue } from './show-value.ts';
export { createTurn, type Turn } from './turn.ts';
