import { describe, expect, it } from '@jest/globals'
import { playRules, readAlerts, type Series, seriesOf, TARGET, worker } from './promtool.js'

describe('the alerts', () => {
  const target = { namespace: 'n', component: 'c' }
  const series = (text: string, values: string): Series => ({ series: text, values })

  it('are silent while all is well', () => {
    const names = readAlerts().map(({ alert }) => alert)
    expect(names.length).toBeGreaterThan(0)
    playRules({
      series: [
        ...seriesOf([worker({ busy: 2 })]),
        series('up{job="celery-celeriac",instance="a"}', '1x120'),
        series(`celery_worker_ready{${TARGET},hostname="w@0"}`, '1x120'),
        series(`celery_queue_oldest_wait_seconds{${TARGET},queue_name="q"}`, '1x120'),
        series(`celery_active_consumer_count{${TARGET},queue_name="q"}`, '2x120'),
        series(`celery_task_succeeded_total{${TARGET},name="t"}`, '0+10x120'),
        series(`celery_task_failed_total{${TARGET},name="t",exception="E"}`, '0+1x120'),
        series(`celery_worker_messages_refused_total{${TARGET},reason="too-large"}`, '7x120'),
      ],
      alerts: { at: '25m', fire: Object.fromEntries(names.map((name) => [name, null])) },
    })
  })

  it('fire for a worker that is gone, one that is not ready, and one whose breaker is open', () => {
    playRules({
      series: [
        series('up{job="celery-celeriac",instance="a"}', '0x120'),
        series(`celery_worker_ready{${TARGET},hostname="w@0"}`, '0x120'),
        series(`celery_worker_breaker_state{${TARGET},hostname="w@0",breaker="redis",state="open"}`, '1x120'),
      ],
      alerts: {
        at: '10m',
        fire: {
          CeleriacWorkerMissing: [
            { job: 'celery-celeriac', instance: 'a', severity: 'warning' },
            "The worker at a can't be scraped",
          ],
          CeleriacNoWorker: [{ severity: 'critical' }, 'No worker can be scraped at all'],
          CeleriacNotReady: [{ ...target, severity: 'critical' }, 'No worker of c has been ready for 5 minutes'],
          CeleriacBreakerOpen: [
            { ...target, hostname: 'w@0', breaker: 'redis', state: 'open', severity: 'warning' },
            'The breaker redis of w@0 is open',
          ],
        },
      },
    })
  })

  it('fire for a queue that waits, one without consumers, a lane that is stuck', () => {
    playRules({
      series: [
        series(`celery_queue_oldest_wait_seconds{${TARGET},queue_name="q"}`, '90x120'),
        series(`celery_queue_length{${TARGET},queue_name="q"}`, '5x120'),
        series(`celery_active_consumer_count{${TARGET},queue_name="q"}`, '0x120'),
        series(`celery_worker_lane_oldest_seconds{${TARGET},hostname="w@0"}`, '1000x120'),
      ],
      alerts: {
        at: '10m',
        fire: {
          CeleriacQueueWaits: [
            { ...target, queue_name: 'q', severity: 'warning' },
            'The oldest message of q has waited for 1m 30s',
          ],
          CeleriacQueueUnattended: [{ ...target, queue_name: 'q', severity: 'critical' }, 'Nobody consumes from q'],
          CeleriacLaneStuck: [
            { ...target, hostname: 'w@0', severity: 'warning' },
            'A lane of w@0 has waited for 16m 40s',
          ],
        },
      },
    })
  })

  it('fire for tasks that fail, messages that are refused, and an event loop that is busy', () => {
    playRules({
      series: [
        series(`celery_task_succeeded_total{${TARGET},name="t"}`, '0+4x120'),
        series(`celery_task_failed_total{${TARGET},name="t",exception="E"}`, '0+1x120'),
        series(`celery_worker_messages_refused_total{${TARGET},hostname="w@0",reason="too-large"}`, '0x40 1x80'),
        series(`celery_worker_event_loop_utilization{${TARGET},hostname="w@0"}`, '0.97x120'),
      ],
      alerts: {
        at: '20m',
        fire: {
          CeleriacTasksFail: [{ ...target, name: 't', severity: 'warning' }, '20% of the runs of t fail'],
          CeleriacMessagesRefused: [
            { ...target, reason: 'too-large', severity: 'warning' },
            'Messages were refused as too-large',
          ],
          CeleriacLoopSaturated: [{ ...target, hostname: 'w@0', severity: 'warning' }, 'The event loop of w@0 is busy'],
        },
      },
    })
  })
})
