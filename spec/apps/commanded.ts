import { Celery } from 'celeriac'

/** An app with remote control commands of its own. */
export default new Celery('commanded', { broker_url: 'memory://commanded' })
  .inspectCommand('stock', { args: { sku: 'text', least: 'int?' }, help: 'Pieces in stock', run: () => null })
  .controlCommand('surcharge', { args: { factor: 'float' }, help: 'Set it.', run: () => null })
