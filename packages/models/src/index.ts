/**
 * What dafl trains and reads: architectures, model files and built-in teachers.
 *
 * @module
 */
export { type Architecture, type ArchitectureOptions, architectures } from './architectures/architectures.ts';
export {
  type ArchitectureDefaults,
  type ConvolutionOptions,
  GraphBuilder,
  type GraphBuilderOptions,
} from './architectures/_graph-builder.ts';
export { createArchitecture } from './architectures/create-architecture.ts';
export { lenet5, type LeNet5Options } from './architectures/lenet5.ts';

export { describePreprocessor } from './formats/describe-preprocessor.ts';
export { decodeFloat32, encodeFloat32 } from './formats/float32.ts';
export { importModel, type ImportModelOptions, type ReadSibling } from './formats/import-model.ts';
export { readModel, writeModel } from './formats/native-model.ts';
export type { ImportedModel } from './formats/finish-import.ts';
export { parseSafetensors } from './formats/parse-safetensors.ts';
export type { SafetensorsDataType, SafetensorsFile, SafetensorsTensor } from './formats/safetensors.ts';
export type { EmitOptions } from './formats/keras/emit-layers.ts';
export { writeKeras } from './formats/keras/write-keras.ts';
export { writeTfjs } from './formats/tfjs/write-tfjs.ts';
export { listOnnxSiblings } from './formats/onnx/list-onnx-siblings.ts';
export { nameOnnxOutput } from './formats/onnx/name-onnx-output.ts';
export { writeOnnx, type WriteOnnxOptions } from './formats/onnx/write-onnx.ts';
export { writeStateDict } from './formats/pytorch/write-state-dict.ts';
export { serializeSafetensors } from './formats/serialize-safetensors.ts';

export { fromNchw } from './from-nchw.ts';
export { markLogits } from './mark-logits.ts';
export { isPixelConvention, type PixelConvention, setPixelConvention } from './set-pixel-convention.ts';

export { type QuantizationResult, quantizeModel } from './quantization/quantize-model.ts';
export type { ByteScale, Quantization, QuantizedModel } from './quantization/quantized-model.ts';
export { simulateQuantization } from './quantization/simulate-quantization.ts';

export { builtInTeacher } from './teachers/built-in-teacher.ts';
export { listTeachers } from './teachers/list-teachers.ts';
export { readTeacherRecord, type TeacherRecord } from './teachers/read-teacher-record.ts';
