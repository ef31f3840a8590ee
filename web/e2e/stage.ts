import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launch, patience, Person } from './person.ts';
import { Server } from './server.ts';

export { patience };

/** A server and a browser for the tests of a file, and people who leave after each test. */
export class Stage {
  server!: Server;
  browser!: Browser;
  people: Person[] = [];

  /** A new user, logged in and looking at the page. */
  join = async (name: string, options: BrowserContextOptions = {}): Promise<Person> => {
    const person = await Person.join(this.browser, this.server, name, options);
    this.people.push(person);
    return person;
  };

  /** A new user whom nobody knows. */
  stranger = async (name: string, options: BrowserContextOptions = {}): Promise<Person> => {
    const person = await Person.stranger(this.browser, this.server, name, options);
    this.people.push(person);
    return person;
  };

  /** Two people, looking at their direct chat. */
  talk = async (): Promise<[Person, Person]> => {
    const [ada, bob] = await Promise.all([this.join('Ada'), this.join('Bob')]);
    await ada.writeTo(bob);
    await bob.item('Ada').click();
    return [ada, bob];
  };
}

/** Sets the stage for a file. A test fails if any browser in it complained. */
export function stage(): Stage {
  const held = new Stage();
  beforeAll(async () => {
    [held.server, held.browser] = await Promise.all([Server.start(), launch()]);
  });
  afterAll(async () => {
    await held.browser?.close();
    await held.server?.dispose();
  });
  beforeEach(() => {
    held.people = [];
  });
  afterEach(async () => {
    const complaints = held.people.flatMap((person) => person.complaints);
    await Promise.all(held.people.map((person) => person.dispose()));
    expect(complaints).toEqual([]);
  });
  return held;
}
