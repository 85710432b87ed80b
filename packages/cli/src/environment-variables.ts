/** The environment variables that dafl reads, by name, for the documentation. */
export const environmentVariables: Readonly<Record<string, string>> = {
  DAFL_DATA_DIR: 'Folder of data sets: the MNIST files in it or in `mnist` beneath it are taken before any others.',
  DAFL_CACHE_DIR: 'Where downloads are kept. Default: `dafl` in `XDG_CACHE_HOME`, or in `~/.cache`.',
  DAFL_TENSORFLOW_DIR:
    'Where `dafl doctor --setup-tensorflow` puts TensorFlow and its addon. Default: `dafl/tensorflow` in the cache of the system.',
  DAFL_TEACHER_TOKEN: 'Sent as a bearer token to a teacher at an address. Never written to a record.',
  DAFL_TOKEN: 'The token that clients of `dafl serve` must send. Without it, only this machine is answered.',
  XDG_CACHE_HOME: 'Folder of caches, where `DAFL_CACHE_DIR` is not set.',
  LOCALAPPDATA: 'On Windows, where TensorFlow is put, unless `DAFL_TENSORFLOW_DIR` says.',
  NO_COLOR: 'No colours, if set to anything.',
  FORCE_COLOR: 'Colours off a terminal too; wins over `NO_COLOR`.',
  CI: 'Where it is set, progress is written in plain lines.',
  TERM: '`dumb`: progress is written in plain lines.',
};
