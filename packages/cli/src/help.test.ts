import { expect, test } from 'vitest';
import { fakeTerminal } from './_fake-terminal.ts';
import { commands } from './commands.ts';
import { runCli } from './run-cli.ts';

async function help(...parameters: string[]): Promise<string> {
  return await helpBy('--help', ...parameters);
}

async function helpBy(flag: string, ...parameters: string[]): Promise<string> {
  const terminal = fakeTerminal();
  expect(await runCli([...parameters.flatMap((text) => text.split(' ')), flag], terminal)).toBe(0);
  expect(terminal.written.err).toBe('');
  expect(terminal.written.out.split('\n').filter((line) => line.length > 96)).toEqual([]);
  return `\n${terminal.written.out}`;
}

test('dafl', async () => {
  expect(await help()).toMatchInlineSnapshot(`
    "
    Usage: dafl <command> [flags]

    Compress a trained image classifier without its training data.

    Options:
      -V, --version  Show the version
      -h, --help     Show this help

    Everywhere:
      --json         Write lines of JSON to stdout, the result last
      -q, --quiet    Write results and errors only
      --no-images    Show no pictures on the terminal
      --verbose      Show where an error came from
      --help-all     Show the flags that few need, too

    Commands:
      distill        Make a small student from a trained teacher, without its
                     training data
      estimate       Tell what a distillation will take
      demo           Distil a LeNet-5 that knows MNIST, and look at the result
      train          Train a network on labelled images
      record         Record a teacher's activations where its data is, for --method
                     metadata
      evaluate       Measure the accuracy of a model on labelled images
      models         List the built-in teachers and architectures
      inspect        Show the layers, sizes and preprocessing of a model
      predict        Tell the classes of images
      convert        Write a model as ONNX, for Keras, TensorFlow.js or PyTorch
      quantize       Write a model in eight bits as ONNX, without its training data
      samples        Draw what the generator of a run makes
      runs           List the runs in a folder, and what came out
      runs compare   Show in what two runs differ
      serve          Serve distillations over HTTP
      experiment     Run a table of the paper, beside its published figures
      bench          Measure a step on every backend, and on PyTorch
      completion     Have bash, zsh or fish complete what you type
      doctor         Check what this machine offers

    Start here:
      dafl demo
      dafl distill lenet5-mnist --student half --eval mnist

    'dafl <command> --help' lists the flags of a command.
    "
  `);
});
test('dafl distill', async () => {
  expect(await help('distill')).toMatchInlineSnapshot(`
    "
    Usage: dafl distill [teacher] [flags]

    Make a small student from a trained teacher, without its training data.

    Arguments:
      teacher                      Name, file or URL; not with --resume or --config

    Options:
      --mean <number,...>          Mean of its training images, if its file lacks it
      --std <number,...>           Their standard deviation, likewise
      --range <0..1|-1..1|0..255>  Pixels that it takes, likewise
      --student <kind>             half, 0.3, low-rank, an architecture or a file
                                   (default: half)
      --method <name>              procedural, dafl, noise or another (default:
                                   auto)
      --backend <name>             node, webgpu, wasm, cpu (default: auto)
      --seed <number>              Same seed, same student, bit for bit (default: 0)
      --steps <number>             Length of the run. Default: the method's
      --time-budget <duration>     As many steps as fit this time: 90s, 5m, 1h
      --eval <mnist|folder>        Labelled images, for reporting only
      --export <onnx,keras,tfjs>   Write the student in these formats too, beside
                                   its file
      --out <folder>               Folder of the run. Default: a new one in runs/
      --resume <folder>            Go on with the run in this folder
      --force                      Replace another run in the folder
      --config <file>              Take options from a JSON file, such as a run.json

    Examples:
      dafl distill teacher.onnx --student half --time-budget 90s --out student
      dafl distill lenet5-mnist --eval mnist
      dafl distill --resume student

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl distill --help-all' shows all 77 flags.
    "
  `);
});
test('dafl distill --help-all', async () => {
  expect(await helpBy('--help-all', 'distill')).toMatchInlineSnapshot(`
    "
    Usage: dafl distill [teacher] [flags]

    Make a small student from a trained teacher, without its training data.

    Arguments:
      teacher                                  Name, file or URL; not with --resume
                                               or --config

    Distillation:
      --teacher <name|file|url>                The same as <teacher>
      --logits <node>                          Node of the teacher that gives the
                                               logits. Default: the one that its
                                               file marks
      --answers-only                           Run the teacher, an ONNX file, by
                                               onnxruntime, and learn from its
                                               answers alone
      --mean <number,...>                      Mean of the teacher's training
                                               images, for each channel; given with
                                               their deviation. Default: as its file
                                               says
      --std <number,...>                       Their standard deviation, likewise
      --range <0..1|-1..1|0..255>              Pixels that the teacher takes, before
                                               mean and deviation. Default: as its
                                               file says
      --architecture <name>                    Built-in architecture of the
                                               teacher's weights, for files of
                                               weights alone. Default: found by
                                               names and shapes
      --input-size <number,...>                Side, or height and width, of the
                                               teacher's pictures, if its file
                                               leaves them open
      --student <kind>                         half, quarter, a share of the
                                               teacher's widths, low-rank or
                                               low-rank-SHARE (its convolutions in
                                               two parts), an architecture, or a
                                               model file for its graph (default:
                                               half)
      --method <name>                          Where the images come from:
                                               procedural (drawn by rules), pool
                                               (made to match the batch norms, and
                                               kept), dafl (a generator), another
                                               published method (nayer,
                                               deep-inversion, dfq, dfad, zskt),
                                               noise, alternative-data,
                                               original-data, metadata, or what
                                               suits the teacher (auto) (default:
                                               auto)
      --data <mnist|folder>                    Images of the methods
                                               alternative-data and original-data:
                                               as --eval, or a folder of PNG and
                                               JPEG; labels are not read
      --shift <number>                         Largest random shift of these images,
                                               in pixels
      --horizontal-flip                        Mirror half of these images left to
                                               right
      --metadata <file>                        File of the method metadata, written
                                               by dafl record
      --metadata-variant <variant>             What of the metadata the images must
                                               match: top-layer, all-layers (the
                                               default), spectral-all-layers or
                                               spectral-layer-pairs
      --preset <fast|paper>                    Recipe of the method dafl: fast (its
                                               default), or the official
                                               hyper-parameters
      --backend <name>                         What computes: node (TensorFlow),
                                               webgpu, wasm, cpu (slow), or the
                                               fastest (auto) (default: auto)
      --threads <number>                       Threads of the backend. Default: all
                                               cores, at most 8
      --allow-software-gpu                     Let WebGPU run on a software adapter,
                                               which computes on the CPU (for tests)
      --seed <number>                          Same seed, backend and machine: the
                                               same student, bit for bit (default:
                                               0)
      --steps <number>                         Length of the run. Default: the
                                               method's
      --time-budget <duration>                 As many steps as fit this time: 90s,
                                               5m, 1h
      --eval <mnist|folder>                    Labelled images, for reporting only:
                                               mnist, or a folder or .tar.gz of IDX
                                               files, CIFAR or class folders
      --keep <best|last>                       The student that comes out: best (by
                                               the verdict, where the last one is
                                               clearly worse), or last. Default:
                                               best; last for the preset paper
      --teacher-token <text>                   Sent as a bearer token to a teacher
                                               at an address, and written nowhere.
                                               Default: DAFL_TEACHER_TOKEN

    Hyper-parameters (default: what the preset says):
      --syntheses <number>                     Batches of images that pool, nayer or
                                               deep-inversion make over the run
                                               (default: 120, 60 or 8)
      --synthesis-steps <number>               Updates in which each of them is made
                                               (default: 5, 20 or 300)
      --pool-generator <meta|persistent>       What each of them starts from: a
                                               meta-learned generator (meta, the
                                               default), or the one before
      --pictures <number>                      Pictures drawn by rules that the
                                               method procedural keeps at most
                                               (default: 20000, more in long runs),
                                               and that pool begins with (default:
                                               8000, or 0 for teachers with batch
                                               norms)
      --uses-per-batch <number>                Updates of the student in which
                                               procedural uses each batch, which its
                                               teacher answers once (default: 4, or
                                               2 where networks are not small)
      --batch-size <number>                    Images of one step
      --latent-size <number>                   Length of the generator's latent
                                               vector
      --generator-widths <list>                Channels of the generator's three
                                               convolution stages
      --generator-batch-norm-epsilon <number>  Epsilon of the generator's inner
                                               batch normalisations
      --generator-output <range>               Range of the images: mean 0 and
                                               variance 1 as in the paper
                                               (normalized), what pixels can be, at
                                               a given tone or at any (pixels,
                                               sigmoid), or any value (affine)
      --generator-contrast <number>            Contrast of the generator's pixels
      --generator-brightness <number>          Brightness of the generator's pixels
      --generator-learning-rate <number>       Learning rate of the generator
      --generator-schedule <constant|cosine>   How the generator's learning rate
                                               moves over the run
      --generator-warmup-steps <number>        Steps in which the generator's
                                               learning rate rises from 0
      --generator-beta1 <number>               First decay of the generator's Adam
      --generator-beta2 <number>               Second decay of the generator's Adam
      --one-hot-weight <number>                Weight of the one-hot loss
      --information-entropy-weight <number>    Weight of the information-entropy
                                               loss
      --activation-weight <number>             Weight of the activation loss
      --batch-norm-statistics-weight <number>  Weight of the distance to the
                                               statistics of the teacher's batch
                                               norms; 0 in the paper
      --adversarial-weight <number>            Weight of the adversarial loss; 0 in
                                               the paper
      --adversarial-temperature <number>       Temperature of the adversarial loss
      --schedule <alternating|two-stage>       What the student learns from: the
                                               batch the generator was trained on,
                                               or a fresh one
      --replay-batches <number>                Newest batches that the student
                                               learns from again; 0 for none
      --student-steps <number>                 Updates of the student in one step;
                                               more than 1 needs replayed batches
      --student-learning-rate <number>         Learning rate of the student
      --student-schedule <constant|cosine>     How the student's learning rate moves
                                               over the run
      --student-warmup-steps <number>          Steps in which the student's learning
                                               rate rises from 0
      --student-beta1 <number>                 First decay of the student's Adam
      --student-beta2 <number>                 Second decay of the student's Adam
      --student-rates <equal|relative>         Learning rates of the student's
                                               layers: one for all, or in relation
                                               to first weights of unusual size
      --temperature <number>                   Temperature of the distillation loss
      --student-loss <divergence|l1|mse>       How the student's logits are compared
                                               with the teacher's: softened
                                               divergence, or by their differences
      --initialization <random|teacher|auto>   Where the student's weights start:
                                               random, from the teacher's, or the
                                               latter where it fits (low-rank: auto)
      --student-fit <none|layers>              What is fitted to the teacher's inner
                                               channels before the first step, where
                                               the student starts from them
      --student-whitening <none|inputs>        What the student's optimizer sees as
                                               white: nothing, or what its layers
                                               read
      --student-norms <own|batch>              What a student from random weights
                                               learns with: the norms that it has,
                                               or, where it has none, batch norms,
                                               which are folded into its layers in
                                               the end
      --student-batch-norm <moving|fixed>      Statistics of the student's batch
                                               norms: of its batches, or those that
                                               it starts with, then without dropout
                                               (low-rank: fixed)
      --hint-weight <number>                   Weight of the distance from the
                                               teacher's inner channels, for
                                               students that start from them

    Reporting:
      --compare <file>                         Model whose first layer the report
                                               shows beside the teacher's and the
                                               student's
      --evaluate-every <number>                Steps between evaluations; 0 for the
                                               end only. Default: a tenth of the run
      --sample-every <number>                  Steps between pictures of the
                                               samples; 0 for the end only. Default:
                                               a tenth of the run
      --tensorboard                            Write event files for TensorBoard
                                               into the folder of the run
      --export <onnx,keras,tfjs>               Write the student in these formats
                                               too, beside its file
      --quantize <int8>                        Write the student in eight bits too,
                                               as ONNX, as dafl quantize does
      --checkpoint-every <number>              Steps between checkpoints; 0 for
                                               interruptions only (default: 50)

    Folder:
      --out <folder>                           Folder of the run. Default: a new one
                                               in runs/
      --resume <folder>                        Go on with the run in this folder
      --force                                  Replace another run in the folder
      --config <file>                          Take options from a JSON file; a
                                               run.json repeats that run exactly
      --seeds <number>                         Run that many seeds, from --seed on,
                                               and sum up

    Everywhere:
      --json                                   Write lines of JSON to stdout, the
                                               result last
      -q, --quiet                              Write results and errors only
      --no-images                              Show no pictures on the terminal
      --verbose                                Show where an error came from
      --help-all                               Show the flags that few need, too
      -h, --help                               Show this help

    Examples:
      dafl distill teacher.onnx --student half --time-budget 90s --out student
      dafl distill lenet5-mnist --eval mnist
      dafl distill --resume student
    "
  `);
});
test('dafl demo', async () => {
  expect(await help('demo')).toMatchInlineSnapshot(`
    "
    Usage: dafl demo [flags]

    Distil the built-in LeNet-5 that knows MNIST into one of half the width, without
    a single digit, and report its accuracy where MNIST is at hand. A shorter run
    than that of dafl distill, of 375 steps.

    Options:
      --method <name>           procedural, dafl, noise or another (default: auto)
      --backend <name>          node, webgpu, wasm, cpu (default: auto)
      --seed <number>           Same seed, same student, bit for bit (default: 0)
      --steps <number>          Length of the run. Default: the method's
      --time-budget <duration>  As many steps as fit this time: 90s, 5m, 1h
      --out <folder>            Folder of the run; an earlier demo in it is replaced
                                (default: dafl-demo)

    Examples:
      dafl demo
      dafl demo --method dafl
      dafl demo --time-budget 30s

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl demo --help-all' shows all 9 flags.
    "
  `);
});
test('dafl train', async () => {
  expect(await help('train')).toMatchInlineSnapshot(`
    "
    Usage: dafl train [flags]

    Train a network on labelled images, by standard backpropagation.

    Options:
      --architecture <name|file>  Network: a built-in architecture, or a model file
                                  whose graph is taken (default: lenet5)
      --data <mnist|folder>       Labelled images: mnist, or a folder or .tar.gz of
                                  IDX files, CIFAR, or class folders of PNG and JPEG
                                  (required)
      --epochs <number>           Passes over the training images. Default: 12, or
                                  as many as make 400 steps
      --batch-size <number>       Images of one step (default: 128)
      --learning-rate <number>    Learning rate (default: 0.002)
      --start-from <file>         Model file of the same network to go on from
      --shift <number>            Largest random shift of an image, in pixels
                                  (default: 0)
      --backend <name>            What computes: node (TensorFlow), webgpu, wasm,
                                  cpu (slow), or the fastest (auto) (default: auto)
      --seed <number>             Same seed, same network, bit for bit (default: 0)
      --out <file>                The model file; its record and measurements lie
                                  beside it (required)
      --force                     Replace files that are there

    Examples:
      dafl train --data mnist --epochs 12 --shift 2 --out teacher.safetensors
      dafl train --architecture lenet5-half --data mnist --shift 2 --out half.safetensors

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl train --help-all' shows all 25 flags.
    "
  `);
});
test('dafl evaluate', async () => {
  expect(await help('evaluate')).toMatchInlineSnapshot(`
    "
    Usage: dafl evaluate <model> [flags]

    Measure the accuracy of a model on labelled images.

    Arguments:
      model                        Built-in teacher or model file: .onnx, .keras,
                                   .h5, model.json, .pt, .safetensors

    Options:
      --data <mnist|folder>        Labelled images (required)
      --split <test|train>         Which of its images (default: test)
      --backend <name>             node, webgpu, wasm, cpu (default: auto)
      --threads <number>           Threads of the backend. Default: all cores, at
                                   most 8
      --mean <number,...>          Mean of its training images, if its file lacks it
      --std <number,...>           Their standard deviation, likewise
      --range <0..1|-1..1|0..255>  Pixels that it takes, likewise

    Examples:
      dafl evaluate student/student/student.safetensors --data mnist
      dafl evaluate student.onnx --data photos --mean 0.5 --std 0.5

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl evaluate --help-all' shows all 12 flags.
    "
  `);
});
test('dafl inspect', async () => {
  expect(await help('inspect')).toMatchInlineSnapshot(`
    "
    Usage: dafl inspect <model> [other] [flags]

    Show the layers, sizes and preprocessing of a model, or the layers in which two
    models differ.

    Arguments:
      model                        Built-in teacher or model file: .onnx, .keras,
                                   .h5, model.json, .pt, .safetensors
      other                        Model to compare it with

    Options:
      --mean <number,...>          Mean of its training images, if its file lacks it
      --std <number,...>           Their standard deviation, likewise
      --range <0..1|-1..1|0..255>  Pixels that it takes, likewise

    Examples:
      dafl inspect lenet5-mnist
      dafl inspect student/student/student.safetensors --json
      dafl inspect teacher.onnx teacher.safetensors

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl inspect --help-all' shows all 7 flags.
    "
  `);
});
test('dafl samples', async () => {
  expect(await help('samples')).toMatchInlineSnapshot(`
    "
    Usage: dafl samples <run> [flags]

    Draw new images as a run's method does at its last checkpoint, or of what a
    model knows, a row for each class, as a PNG file.

    Arguments:
      run                          Folder of a run; with --method a model: a
                                   built-in name or a file

    Options:
      --out <file>                 The PNG file; one that is there is replaced
                                   (default: samples.png)
      --seed <number>              The same seed gives the same images (default: 0)
      --per-class <number>         Images of each class, at most (default: 8)
      --method <name>              Look into a model, and how: deep-inversion, pool
                                   or nayer
      --synthesis-steps <number>   Updates in which these images are made. Default:
                                   the method's
      --mean <number,...>          Mean of its training images, if its file lacks it
      --std <number,...>           Their standard deviation, likewise
      --range <0..1|-1..1|0..255>  Pixels that it takes, likewise

    Examples:
      dafl samples student --seed 7 --out more.png
      dafl samples lenet5-mnist --method deep-inversion

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl samples --help-all' shows all 11 flags.
    "
  `);
});
test('dafl serve', async () => {
  expect(await help('serve')).toMatchInlineSnapshot(`
    "
    Usage: dafl serve [flags]

    Serve distillations over HTTP. Other machines need the token in the environment
    variable DAFL_TOKEN.

    Options:
      --host <address>          Address to listen on (default: 127.0.0.1)
      --port <number>           Port; 0 for any that is free (default: 8080)
      --data-folder <folder>    Folder of jobs and uploads (default: dafl-server)
      --allowed-hosts <list>    Further names under which clients reach the server,
                                with commas between: that of a proxy before it
      --allowed-origins <list>  Origins of other sites' pages that may use the
                                server: https://studio.example

    Examples:
      dafl serve
      DAFL_TOKEN=... dafl serve --host 0.0.0.0 --port 8080

    Everywhere: --json, --quiet, --no-images, --verbose
    "
  `);
});
test('dafl doctor', async () => {
  expect(await help('doctor')).toMatchInlineSnapshot(`
    "
    Usage: dafl doctor [flags]

    Check what this machine offers: runtime, cores, memory, WebAssembly, backends
    with their speed and how to get those that are missing, data, disk.

    Options:
      --setup-tensorflow [wheel]  Install what the backend node needs: build its
                                  addon against the library in a wheel of tensorflow
                                  or tensorflow-cpu, or in the folder of an
                                  installed one (for CUDA). Default: tensorflow-cpu,
                                  downloaded by pip

    Examples:
      dafl doctor
      dafl doctor --json
      dafl doctor --setup-tensorflow
      dafl doctor --setup-tensorflow venv/lib/python3.13/site-packages/tensorflow

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl doctor --help-all' shows all 2 flags.
    "
  `);
});

test.each(Object.keys(commands))('the help of dafl %s fits one screen of 40 lines', async (name) => {
  expect((await help(name)).trim().split('\n').length).toBeLessThanOrEqual(40);
});

test('each flag of a command is in its --help-all, and no flag that must be given is left out of its --help', async () => {
  for (const [name, entry] of Object.entries(commands)) {
    const { flags } = await entry.load();
    const [short, all] = [await help(name), await helpBy('--help-all', name)];
    expect(flags.filter((flag) => !all.includes(`\n  --${flag.name} `))).toEqual([]);
    expect(
      flags.filter(({ isRequired }) => isRequired).filter((flag) => !short.includes(`\n  --${flag.name} `)),
    ).toEqual([]);
  }
});

test('each command is told of, and can be asked for help in two ways', async () => {
  const text = await help();
  for (const name of Object.keys(commands)) {
    expect(text).toContain(`\n  ${name} `);
    const terminal = fakeTerminal();
    expect(await runCli(['help', ...name.split(' ')], terminal)).toBe(0);
    expect(`\n${terminal.written.out}`).toBe(await help(name));
  }
});

test('without a command the help is shown, as an error of use', async () => {
  const terminal = fakeTerminal();
  expect(await runCli([], terminal)).toBe(2);
  expect(terminal.written.out).toContain('Usage: dafl <command> [flags]');
});
test('dafl bench', async () => {
  expect(await help('bench')).toMatchInlineSnapshot(`
    "
    Usage: dafl bench [flags]

    Measure a step of distillation on every backend, and on PyTorch where python3
    has it. The contestants are processes that take turns.

    Options:
      --case <official|fast|all>       Step of the official code (--preset paper),
                                       or of --preset fast (default: all)
      --batch <number>                 Images of one step (default: 256)
      --rounds <number>                Rounds that count; some more warm up
                                       (default: 10)
      --steps-per-round <number>       Steps that a contestant runs in a round
                                       (default: 2)
      --sweep <batch|image|width|all>  Measure how the cost grows with the batch,
                                       the image size, the width of the generator
      --backends <list>                Backends, with commas between. Default: all
                                       that run here but cpu, whose step takes
                                       minutes
      --python <path|none>             Interpreter that has torch; none for no
                                       PyTorch. Default: python3, if it has torch
      --out <file>                     Write all samples to a JSON file, and the
                                       plot of a sweep beside it

    Examples:
      dafl bench
      dafl bench --case official --python venv/bin/python --out step.json
      dafl bench --backends wasm --python none --case fast --sweep batch --out growth.json

    Everywhere: --json, --quiet, --no-images, --verbose
    'dafl bench --help-all' shows all 9 flags.
    "
  `);
});
