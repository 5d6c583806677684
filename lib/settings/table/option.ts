import { LOG_LEVELS } from '../../ports.js'
import { choice, count, list, octal, optional, presence, text, toggle } from '../parse.js'
import { type RowExtras, row } from '../row.js'

const NO_BEAT: RowExtras = {
  option: true,
  group: 'Embedded Beat',
  inert: 'there is no beat; run celery beat',
}
const FROM_APP = 'the configuration is that of the app module'

/** Options that exist on the command line only: the global ones, and those of `worker`. */
export const OPTION = {
  app: row(optional(text), null, 'Module of the app: dist/app.js, or dist/app:name.', {
    option: true,
    flag: '-A, --app <module>',
    env: ['APP'],
  }),
  loader: row(optional(text), null, 'Loader class.', {
    option: true,
    flag: '--loader <class>',
    env: ['LOADER'],
    inert: FROM_APP,
  }),
  config: row(optional(text), null, 'Configuration module.', {
    option: true,
    flag: '--config <module>',
    env: ['CONFIG_MODULE', 'CELERY_CONFIG_MODULE'],
    inert: FROM_APP,
  }),
  workdir: row(optional(text), null, 'Directory to change to first.', { option: true, flag: '--workdir <directory>' }),
  no_color: row(presence, false, 'No colours.', { option: true, flag: '-C, --no-color', env: ['NO_COLOR'] }),
  quiet: row(toggle, false, 'No banner.', { option: true, flag: '-q, --quiet' }),
  skip_checks: row(toggle, false, 'Accepted for Django; nothing is checked.', {
    option: true,
    flag: '--skip-checks',
    env: ['SKIP_CHECKS'],
  }),

  hostname: row(text, 'celery@%h', "The worker's node name; %h is the host, %n its first part, %d its domain.", {
    option: true,
    flag: '-n, --hostname <name>',
    group: 'Worker',
  }),
  detach: row(toggle, false, 'Run in the background; the command returns once the worker has started.', {
    option: true,
    flag: '-D, --detach',
    group: 'Worker',
  }),
  loglevel: row(
    choice(LOG_LEVELS, { anyCase: true }),
    'WARNING',
    'Log level: DEBUG, INFO, WARNING, ERROR, CRITICAL or FATAL.',
    {
      option: true,
      flag: '-l, --loglevel <level>',
      group: 'Worker',
    },
  ),
  log_format: row(
    choice(['celery', 'json'], { anyCase: true }),
    'celery',
    "Format of the log: celery for Celery's lines, json for one JSON object a line.",
    {
      option: true,
      flag: '--log-format <format>',
      group: 'Worker',
    },
  ),
  optimization: row(
    choice(['default', 'fair'], { anyCase: true }),
    'default',
    'Optimization profile: default or fair.',
    {
      option: true,
      flag: '-O, --optimization <profile>',
      group: 'Worker',
      inert: 'a slot takes a message only when it is free, as fair does',
    },
  ),
  purge: row(toggle, false, 'Purge the queues before the start.', {
    option: true,
    flag: '--purge, --discard',
    group: 'Queue',
  }),
  queues: row(optional(list), null, 'Queues to consume from, joined by commas.', {
    option: true,
    flag: '-Q, --queues <names>',
    group: 'Queue',
  }),
  exclude_queues: row(optional(list), null, 'Configured queues not to consume from, joined by commas.', {
    option: true,
    flag: '-X, --exclude-queues <names>',
    group: 'Queue',
  }),
  without_gossip: row(toggle, false, 'Take no part in gossip.', {
    option: true,
    flag: '--without-gossip',
    group: 'Feature',
  }),
  without_mingle: row(toggle, false, 'Do not synchronize with other workers at the start.', {
    option: true,
    flag: '--without-mingle',
    group: 'Feature',
  }),
  without_heartbeat: row(toggle, false, 'Send no event heartbeats.', {
    option: true,
    flag: '--without-heartbeat',
    group: 'Feature',
  }),
  without_http: row(toggle, false, 'No HTTP: no probes, metrics or page.', {
    option: true,
    flag: '--without-http',
    group: 'Feature',
  }),
  heartbeat_interval: row(optional(count({ min: 1 })), null, 'Seconds between event heartbeats; 2 unless set.', {
    option: true,
    flag: '--heartbeat-interval <seconds>',
    group: 'Feature',
    zero: 'is unset',
  }),
  beat: row(toggle, false, 'Run beat, too.', { ...NO_BEAT, flag: '-B, --beat' }),
  schedule_filename: row(optional(text), null, "Beat's file.", {
    ...NO_BEAT,
    flag: '-s, --schedule-filename, --schedule <file>',
  }),
  scheduler: row(optional(text), null, "Beat's scheduler class.", { ...NO_BEAT, flag: '--scheduler <class>' }),
  logfile: row(
    optional(text),
    null,
    'Log file instead of stderr, reopened when it was renamed; %n is the node name up to the @, %% a percent sign.',
    {
      option: true,
      flag: '-f, --logfile <file>',
      group: 'Daemonization',
    },
  ),
  pidfile: row(optional(text), null, 'File for the process id; the worker does not start if it is in use.', {
    option: true,
    flag: '--pidfile <file>',
    group: 'Daemonization',
  }),
  uid: row(optional(text), null, 'User to become, by name or number, before the app is loaded.', {
    option: true,
    flag: '--uid <user>',
    group: 'Daemonization',
  }),
  gid: row(optional(text), null, "Group to become; by default the user's own.", {
    option: true,
    flag: '--gid <group>',
    group: 'Daemonization',
  }),
  umask: row(optional(octal), null, 'File mode mask, in octal.', {
    option: true,
    flag: '--umask <mask>',
    group: 'Daemonization',
  }),
  executable: row(optional(text), null, 'Node.js executable for --detach.', {
    option: true,
    flag: '--executable <file>',
    group: 'Daemonization',
  }),
} as const
