import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

interface Letter {
  readonly to: string;
  readonly text: string;
}

/** A mail server that keeps what it is given. */
export class Post {
  private readonly letters: Letter[] = [];

  private constructor(
    private readonly server: SMTPServer,
    readonly port: number,
  ) {}

  static async open(): Promise<Post> {
    let post: Post | undefined;
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, session, done) {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          const text = Buffer.concat(parts).toString('latin1');
          for (const { address } of session.envelope.rcptTo) post?.letters.push({ to: address, text });
          done();
        });
      },
    });
    const listener = server.listen(0, '127.0.0.1');
    await new Promise((resolve) => listener.once('listening', resolve));
    return (post = new Post(server, (listener.address() as AddressInfo).port));
  }

  /** The code of the latest link of a kind that was sent to an address; '' if there is none yet. */
  codeFor(address: string, kind: 'reset' | 'email' | 'join'): string {
    const letters = this.letters.filter(({ to }) => to === address).map(({ text }) => text.replace(/=\r?\n/g, '').replaceAll('=3D', '='));
    return letters.flatMap((text) => [...text.matchAll(new RegExp(`#${kind}=([\\w-]{43})`, 'g'))].map(([, code]) => code!)).at(-1) ?? '';
  }

  close = (): Promise<void> => new Promise((resolve) => this.server.close(() => resolve()));
}
