/* A worker of ours for the workflows that the peer specs build in TypeScript. */
import { Celery } from 'celeriac'
import { defineWorkflowTasks } from '../support/workflowTasks.js'

const app = new Celery('workflows')
defineWorkflowTasks(app)

export default app
