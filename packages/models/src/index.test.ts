import { expect, test } from 'vitest';
import * as models from './index.ts';

test('the package exports what is listed here', () => {
  expect(Object.keys(models).sort()).toMatchInlineSnapshot(`
    [
      "GraphBuilder",
      "architectures",
      "builtInTeacher",
      "createArchitecture",
      "decodeFloat32",
      "describePreprocessor",
      "encodeFloat32",
      "fromNchw",
      "importModel",
      "isPixelConvention",
      "lenet5",
      "listOnnxSiblings",
      "listTeachers",
      "markLogits",
      "nameOnnxOutput",
      "parseSafetensors",
      "quantizeModel",
      "readModel",
      "readTeacherRecord",
      "serializeSafetensors",
      "setPixelConvention",
      "simulateQuantization",
      "writeKeras",
      "writeModel",
      "writeOnnx",
      "writeStateDict",
      "writeTfjs",
    ]
  `);
});
