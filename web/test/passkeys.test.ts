// @vitest-environment jsdom
import { describe, expect, test } from 'vitest';
import { ProblemError } from '../src/client';
import { waysIn } from '../src/page/i18n/ways';
import { passkeySentence } from '../src/page/state/passkeys';
import { secondStep } from '../src/page/state/second-step';

const problem = (code: 'second_factor' | 'unauthenticated' | 'forbidden', more: object = {}) =>
  new ProblemError({ type: '', title: '', status: 401, detail: '', code, ...more });

describe('a second step', () => {
  test('is what a right password leads to, with the ways that the server names', () => {
    expect(secondStep(problem('second_factor', { challenge: 'c', methods: ['passkey'] }))).toEqual({ challenge: 'c', methods: ['passkey'] });
    expect(secondStep(problem('second_factor', { challenge: 'c' }))).toEqual({ challenge: 'c', methods: ['totp', 'recovery_code'] });
  });

  test('is not what other refusals lead to, nor one without a challenge', () => {
    expect(secondStep(problem('second_factor'))).toBeNull();
    expect(secondStep(problem('unauthenticated', { challenge: 'c' }))).toBeNull();
    expect(secondStep(new Error('second_factor'))).toBeNull();
  });
});

describe('what went wrong with a passkey', () => {
  test.each(['en', 'zh'])('is said in words of the page: %s', (language) => {
    const t = waysIn(language);
    expect(passkeySentence(new DOMException('The operation was not allowed', 'NotAllowedError'), t)).toBe(t.keys.cancelled);
    expect(passkeySentence(new DOMException('', 'InvalidStateError'), t)).toBe(t.keys.exists);
    expect(passkeySentence(problem('unauthenticated'), t)).toBe(t.keys.unknown);
    expect(passkeySentence(problem('forbidden'), t)).toBeNull();
  });

  test('is said in the language of the page', () => {
    expect(waysIn('zh').keys.cancelled).not.toBe(waysIn('en').keys.cancelled);
  });
});
