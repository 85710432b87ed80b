import { describe, expect, it } from 'vitest';
import { readClassNames } from './read-class-names.ts';

describe('readClassNames', () => {
  it.each<[string, string, string, string[] | undefined]>([
    ['a list of JSON', 'classes', '["cat", "a, b", "say \\"no\\"", "caf\\u00e9"]', ['cat', 'a, b', 'say "no"', 'café']],
    ['a dictionary of JSON', 'id2label', '{"10": "ten", "2": "two"}', ['two', 'ten']],
    ['a dictionary by name', 'label2id', '{"two": 2, "one": 1}', ['one', 'two']],
    ['what Python prints', 'names', `{0: 'cat', 1: "it's", 2: 'a\\'b'}`, ['cat', "it's", "a'b"]],
    ['a list that Python prints', 'class_names', `['cat', "it's"]`, ['cat', "it's"]],
    ['words between commas', 'labels', 'cat, dog', ['cat', 'dog']],
    ['lines', 'labels', 'cat\ndog, small\n', ['cat', 'dog, small']],
    ['a word that may mean anything', 'labels', 'imagenet', undefined],
    ['nothing', 'labels', '{}', undefined],
  ])('reads %s', (_, key, text, expected) => {
    expect(readClassNames(new Map([[key, text]]))).toEqual(expected);
  });
});
