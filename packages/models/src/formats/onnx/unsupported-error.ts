/** Says why a node of an ONNX file can't be turned into dafl's. The reader collects them. */
export class UnsupportedError extends Error {}
