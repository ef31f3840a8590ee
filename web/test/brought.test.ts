import { expect, test } from 'vitest';
import { brought, linkIn } from '../src/page/state/brought';

test('a link is for one of four things, and nothing else counts', () => {
  for (const kind of ['join', 'setup', 'reset', 'email']) expect(linkIn(`#${kind}=abc-_1`)).toEqual({ kind, code: 'abc-_1' });
  for (const hash of ['', '#', '#join=', '#join=a b', '#other=abc', '#join=a&setup=b', `#join=${'a'.repeat(201)}`]) expect(linkIn(hash)).toBeNull();
});

test('an invitation and the setup code are brought along to sign up, no other code is', () => {
  expect(brought(linkIn('#join=abc-_1'))).toEqual({ invitation: 'abc-_1' });
  expect(brought(linkIn('#setup=abc'))).toEqual({ setup_code: 'abc' });
  for (const link of [linkIn('#reset=abc'), linkIn('#email=abc'), null]) expect(brought(link)).toEqual({});
});
