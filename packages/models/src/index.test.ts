import { expect, test } from 'vitest';
import * as models from './index.ts';

test('the package exports what is listed here', () => {
  expect(Object.keys(models).sort()).toMatchInlineSnapshot(`
    [
      "architectures",
      "builtInTeacher",
      "createArchitecture",
      "decodeFloat32",
      "encodeFloat32",
      "importModel",
      "lenet5",
      "listTeachers",
      "markLogits",
      "parseSafetensors",
      "readModel",
      "readTeacherRecord",
      "serializeSafetensors",
      "setPixelConvention",
      "writeModel",
      "writeOnnx",
    ]
  `);
});
