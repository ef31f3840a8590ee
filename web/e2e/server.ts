import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = fileURLToPath(new URL('../../bin/fechatter', import.meta.url));
const readyMs = 120_000;

/** The real binary, in a folder of its own. */
export class Server {
  private process: ChildProcess | undefined;
  private output = '';
  private readonly folder = mkdtempSync(join(tmpdir(), 'fechatter-page-'));
  /** The chat that all people share. */
  lobby: Promise<string> | undefined;
  /** Chosen by the system, anew at each start. */
  port = 0;

  private constructor(private readonly settings: Record<string, string>) {}

  static async start(settings: Record<string, string> = {}): Promise<Server> {
    if (!existsSync(binary)) throw new Error('bin/fechatter is missing: run `make build` first');
    const server = new Server(settings);
    await server.up();
    return server;
  }

  /** Starts the process, again after `kill` or `stop`, and waits until it is ready. */
  async up(): Promise<void> {
    const env = {
      PATH: process.env['PATH'],
      FECHATTER_LISTEN: '127.0.0.1:0',
      FECHATTER_ADMIN_LISTEN: '127.0.0.1:0',
      FECHATTER_DRAIN_DELAY: '0s',
      FECHATTER_REGISTRATION: 'open',
      FECHATTER_LIMITS_SIGNUPS_PER_IP_PER_MINUTE: '0',
      FECHATTER_LIMITS_LOGINS_PER_IP_PER_MINUTE: '0',
      FECHATTER_LIMITS_SENDS_PER_SECOND: '1000',
      FECHATTER_LIMITS_SEND_BURST: '1000',
      ...this.settings,
    };
    this.output = '';
    const child = spawn(binary, [], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (data) => (this.output += data));
    child.stderr.on('data', (data) => (this.output += data));
    this.process = child;
    await this.ready(child);
  }

  /** The code in the link that the server printed for the first administrator, if it printed one. */
  get setupCode(): string | undefined {
    return /\/#setup=([\w-]+)/.exec(this.output)?.[1];
  }

  /** Ends the process at once, like a crash. */
  kill = (): Promise<void> => this.end('SIGKILL');

  /** Shuts it down. */
  stop = (): Promise<void> => this.end('SIGTERM');

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ready(child: ChildProcess): Promise<void> {
    const until = Date.now() + readyMs;
    while (Date.now() < until && child.exitCode === null) {
      const [, host, port] = / is at http:\/\/(127\.0\.0\.1|localhost):(\d+)/.exec(this.output) ?? [];
      this.port = Number(port ?? 0);
      if (this.port && (await fetch(`http://${host}:${this.port}/readyz`).then((r) => r.ok, () => false))) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the server is not ready:\n${this.output.slice(-4000)}`);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}

/** The line from a browser to the server. Cutting it kills connections and refuses new ones. */
export class Cable {
  private readonly open = new Set<Socket>();
  private whole = true;

  private constructor(
    private readonly listener: NetServer,
    readonly url: string,
  ) {}

  static async to(server: Server): Promise<Cable> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const cable = new Cable(listener, `http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    listener.on('connection', (near) => cable.pipe(near, server.port));
    return cable;
  }

  cut(): void {
    this.whole = false;
    for (const socket of this.open) socket.destroy();
  }

  mend(): void {
    this.whole = true;
  }

  dispose(): void {
    this.cut();
    this.listener.close();
  }

  private pipe(near: Socket, port: number): void {
    if (!this.whole) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const [socket, peer] of [[near, far], [far, near]] as const) {
      this.open.add(socket);
      socket.pipe(peer);
      socket.on('error', () => peer.destroy());
      socket.on('close', () => {
        this.open.delete(socket);
        peer.destroy();
      });
    }
  }
}
