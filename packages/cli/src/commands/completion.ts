import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';

export const completionCommand: Command = defineCommand({
  name: 'completion',
  description: 'Write a script that has a shell complete commands, flags and their values when Tab is pressed.',
  arguments: z.strictObject({
    shell: z.enum(['bash', 'zsh', 'fish']).describe('bash, zsh or fish').meta({ flag: false }),
  }),
  operands: ['shell'],
  examples: [
    "echo 'source <(dafl completion bash)' >> ~/.bashrc",
    "echo 'source <(dafl completion zsh)' >> ~/.zshrc",
    'dafl completion fish > ~/.config/fish/completions/dafl.fish',
  ],
  async run({ shell }, { terminal, isJson }) {
    if (isJson) {
      throw new UsageError(
        "Cannot run 'dafl completion' as '--json' must be left out, since a shell reads what it writes: current value is true",
      );
    }
    const { script } = await import('@bomb.sh/tab');
    if (shell === 'bash') terminal.out(withoutBashCompletion);
    // Writes to stdout by itself.
    script(shell, 'dafl', 'dafl');
    return exitCodes.done;
  },
});

/** The one function of the package bash-completion that the script calls: it is not everywhere. */
const withoutBashCompletion = `# Where the package bash-completion is not installed:
type _get_comp_words_by_ref > /dev/null 2>&1 || _get_comp_words_by_ref() {
    cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} cword=$COMP_CWORD words=("\${COMP_WORDS[@]}")
}
`;
