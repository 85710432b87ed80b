/** A command that a page tells to type. */
export interface DocumentedCommand {
  /** From 1. */
  readonly line: number;
  /** Without the comment behind it. */
  readonly text: string;
  /** Whether it only stands in the text, where not all of it need be said. */
  readonly isMention?: boolean;
}

/** What a line of code must begin with to be taken for a command. */
const PROGRAMS = /^(?:\$ )?((?:dafl|npx|npm|bunx|deno|node|docker|git) .*)$/;

/**
 * Lists the commands in a Markdown page: the lines of fenced and indented code that begin with a program's name, and
 * `dafl ...` in the text.
 */
export function listDocumentedCommands(markdown: string): DocumentedCommand[] {
  const commands: DocumentedCommand[] = [];
  let fence: string | null = null;
  let isAfterBlank = true;
  let isIndented = false;
  markdown.split('\n').forEach((text, index) => {
    const line = index + 1;
    const add = (code: string): void => {
      const [, command] = PROGRAMS.exec(code.trim()) ?? [];
      if (command === undefined) return;
      // One of several, and without where its output goes.
      for (const part of withoutComment(command.replace(/ >>? .*/, '')).split(/ && | \| |; /))
        commands.push({ line, text: part.trim() });
    };
    const mark = /^\s*(`{3,}|~{3,})(\w*)/.exec(text);
    if (mark !== null) {
      if (fence === null) fence = mark[2] === '' ? 'sh' : mark[2];
      else fence = null;
    } else if (fence !== null) {
      if (['sh', 'bash', 'console', 'shell'].includes(fence)) add(text);
    } else if (/^ {4}\S/.test(text) && (isAfterBlank || isIndented)) {
      isIndented = true;
      add(text);
      return;
    } else {
      for (const [, code] of text.matchAll(/`(dafl [^`]*)`/g)) commands.push({ line, text: code, isMention: true });
    }
    isAfterBlank = text.trim() === '';
    if (!isAfterBlank) isIndented = false;
  });
  return commands;
}

/** Cuts ` # and what follows`, but not within quotes. */
function withoutComment(text: string): string {
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '#' && text[index - 1] === ' ') return text.slice(0, index).trim();
  }
  return text.trim();
}

/** Splits a command into words as a shell does: quotes are taken off, variables before the program are left out. */
export function splitWords(command: string): string[] {
  const words = [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/["']/g, ''));
  while (/^[A-Z_]+=/.test(words[0] ?? '')) words.shift();
  return words;
}
