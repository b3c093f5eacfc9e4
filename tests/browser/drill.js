// Drives a drill in Chromium by keyboard, breaks its connection, opens ten windows, and looks at 5,000 instances.
//
//   npm ci && node drill.js [folder for screenshots]
//
// DRYROLL names the program, CHROMIUM the browser; each has a default.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { between, drill, endAll } from './program.js';

const folder = process.argv[2];
if (folder) await mkdir(folder, { recursive: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const complaints = [];
let allowed = /$^/;

async function context(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(20000);
  context.on('page', (page) => {
    page.on('console', (message) => {
      if (message.type() === 'error' && !allowed.test(message.text())) complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.stack}`));
    page.on('request', (request) => {
      if (!/^http:\/\/127\.0\.0\.1:|^data:/.test(request.url())) complaints.push(`${request.url()} is asked for`);
    });
  });
  return context;
}

const text = (page, selector) => page.locator(selector).textContent();
const says = (page, selector, wanted) => page.waitForFunction(([selector, wanted]) => document.querySelector(selector)?.textContent.includes(wanted), [selector, wanted]);
const operations = async (page) => {
  await page.goto(new URL('/app/system/operations', page.url()).href);
  await page.waitForSelector('.batch');
};
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

async function picture(page, name) {
  assert.ok(await fits(page), `${name} is wider than its window`);
  if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

const steps = {
  async 'a drill by keyboard alone, in light and dark'() {
    for (const colorScheme of ['light', 'dark']) {
      const served = await drill('broken-rollback', '--speed', '30');
      const page = await (await context({ colorScheme })).newPage();
      const shot = (name) => picture(page, `${name}-${colorScheme}`);
      await page.goto(served.url);
      assert.ok(!page.url().includes('token'), page.url());
      await says(page, '#request-heading', 'may this start?');
      // It begins with its first spectator.
      await says(page, '#pause', 'Pause');
      await page.keyboard.press('p');
      await says(page, '#pause', 'Go on');
      await shot('approvals');

      await page.keyboard.press('e');
      await page.keyboard.press('Control+A');
      await page.keyboard.type('10');
      await says(page, '#plan', '10 of 5 (10 %)');
      await shot('edit');
      await page.keyboard.press('Enter');
      await says(page, '#decided', 'edit to batches of 10 %');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'request-heading');
      await page.keyboard.press('1');
      await page.keyboard.press('Enter');
      await says(page, '#decided', 'approve');

      await page.keyboard.press('o');
      await page.waitForSelector('.batch');
      await page.keyboard.press('p');
      await says(page, '#events', 'Batch 0 begins');
      await page.keyboard.press('f');
      await page.keyboard.press('ArrowRight');
      await says(page, '#inspector', 'i-00002 · batch 0 · upgrading');
      await shot('operations');
      await page.keyboard.press('d');
      await says(page, '#shouted', 'The breaker tripped');
      await says(page, '#breaker-says', '2 of 2 failed in a row: tripped');
      await shot('operations-trip');

      await page.keyboard.press('a');
      await says(page, '#request-heading', 'the breaker tripped');
      await shot('trip');
      await page.keyboard.press('2');
      assert.equal(await page.evaluate(() => document.activeElement.dataset.option), 'rollback_completed_batches');
      await page.keyboard.press('Enter');
      await says(page, '#decided', 'rollback completed batches');
      await page.keyboard.press('o');
      await page.waitForSelector('.batch');
      await page.locator('#table summary').click();
      await says(page, '#batch-rows', 'rollback 0');
      await shot('rollback');
      await page.keyboard.press('d');
      await says(page, '#call', 'Over: rolled back');
      await page.waitForSelector('#call a');
      await shot('finished');
      await page.locator('#call a').click();
      await page.waitForSelector('h1');
      assert.ok(page.url().endsWith('/app/debrief'));
      await shot('debrief');
      assert.equal(await served.interrupt(), 0);
      await page.context().close();
    }
  },

  async 'a lost connection shows, and what was missed is caught up with'() {
    const served = await drill('zone-outage', '--speed', '60');
    const proxy = await between(served);
    const own = await context();
    const page = await own.newPage();
    await page.goto(proxy.url);
    await says(page, '#request-heading', 'may this start?');
    await page.locator('[data-option=approve]').click();
    await operations(page);
    await says(page, '#events', 'Batch 0 begins');
    allowed = /ERR_|Failed to load resource/;
    proxy.cut();
    await says(page, '#connection', 'Connection lost at');
    await page.keyboard.press('n');
    await says(page, '#problem', 'the connection is lost, so nothing was sent');
    await picture(page, 'lost');
    // The drill goes on meanwhile, as another browser sees.
    const other = await (await context()).newPage();
    await other.goto(served.url);
    await operations(other);
    await says(other, '#events', 'Batch 0 is complete');
    await other.keyboard.press('p');
    assert.ok(!(await text(page, '#events')).includes('Batch 0 is complete'));
    proxy.mend();
    await page.waitForFunction(() => document.querySelector('#connection').textContent === '');
    await says(page, '#events', 'Batch 0 is complete');
    await says(page, '#pause', 'Go on');
    allowed = /$^/;
    assert.equal(await text(page, '#events'), await text(other, '#events'));
    // A reload loses nothing either.
    const before = [await text(other, '#events'), await text(other, '#headline'), await text(other, '#clock')];
    await other.reload();
    await other.waitForSelector('#events li');
    assert.deepEqual([await text(other, '#events'), await text(other, '#headline'), await text(other, '#clock')], before);
    await served.interrupt();
    await says(other, '#connection', 'The program was ended');
    proxy.close();
    await own.close();
    await other.context().close();
  },

  async 'ten windows agree, and one of two clicks at once is told'() {
    const served = await drill('broken-rollback', '--speed', '60');
    const own = await context();
    const pages = [];
    for (let i = 0; i < 10; i++) {
      const page = await own.newPage();
      await page.goto(i ? new URL('/app/approvals', served.url).href : served.url);
      await says(page, '#request-heading', 'may this start?');
      pages.push(page);
    }
    allowed = /409/;
    await Promise.all(pages.slice(0, 2).map((page) => page.evaluate(() => document.querySelector('[data-option=approve]').click())));
    for (const page of pages) await says(page, '#decided', 'approve');
    const problems = await Promise.all(pages.slice(0, 2).map((page) => text(page, '#problem')));
    assert.equal(problems.filter((problem) => problem.includes('another window decided: `approve`')).length, 1, problems.join('|'));
    await pages[9].keyboard.press('d');
    for (const page of pages) await says(page, '#request-heading', 'the breaker tripped');
    allowed = /$^/;
    await pages[3].locator('[data-option=abort]').click();
    for (const page of pages) await says(page, '#request-heading', 'Over: aborted');
    assert.equal(await served.interrupt(), 0);
    await own.close();
  },

  async 'a draft of an edit outlives a reload and the edit of another window'() {
    const served = await drill('tutorial', '--speed', '1');
    const own = await context();
    const [page, other] = [await own.newPage(), await own.newPage()];
    await page.goto(served.url);
    await says(page, '#request-heading', 'may this start?');
    await page.keyboard.press('e');
    await page.fill('#batch-pct', '7');
    const draft = () => page.evaluate(() => [document.querySelector('#edit').hidden, document.querySelector('#batch-pct').value]);
    await page.reload();
    await says(page, '#request-heading', 'may this start?');
    await page.waitForFunction(() => document.querySelector('#edit')?.hidden === false);
    assert.deepEqual(await draft(), [false, '7']);
    await other.goto(new URL('/app/approvals', served.url).href);
    await other.locator('[data-option=edit]').click();
    await other.fill('#batch-pct', '10');
    await other.locator('#edit button[type=submit]').click();
    await says(page, '#decided', 'edit');
    await says(page, '#problem', 'edited in another window meanwhile');
    assert.deepEqual(await draft(), [false, '7']);
    await page.keyboard.press('Escape');
    assert.ok(await page.locator('#edit').isHidden());
    await served.interrupt();
    await own.close();
  },

  async 'a narrow window'() {
    const served = await drill('broken-rollback', '--speed', '60');
    const page = await (await context({ viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' })).newPage();
    await page.goto(served.url);
    await says(page, '#request-heading', 'may this start?');
    await picture(page, 'approvals-narrow');
    await page.locator('[data-option=approve]').click();
    await operations(page);
    await page.keyboard.press('d');
    await says(page, '#breaker-says', 'tripped');
    await picture(page, 'operations-narrow');
    await served.interrupt();
    await page.context().close();
  },

  async '5,000 instances stay fluid'() {
    for (const colorScheme of ['light', 'dark']) {
      const served = await drill('fleet-5000', '--speed', '300');
      const page = await (await context({ colorScheme })).newPage();
      await page.goto(served.url);
      await says(page, '#request-heading', 'may this start?');
      await page.locator('[data-option=approve]').click();
      await operations(page);
      await page.evaluate(() => {
        window.frames5000 = [];
        let last = performance.now();
        const tick = (now) => {
          window.frames5000.push(now - last);
          last = now;
          requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick);
        window.long5000 = [];
        new PerformanceObserver((list) => window.long5000.push(...list.getEntries().map((entry) => Math.round(entry.duration)))).observe({ type: 'longtask' });
      });
      await says(page, '#events', 'Batch 0 begins');
      await page.waitForTimeout(3000);
      await picture(page, `fleet-5000-${colorScheme}`);
      await page.waitForTimeout(1000);
      const measured = await page.evaluate(() => {
        const sorted = window.frames5000.slice(5).sort((a, b) => a - b);
        const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 10) / 10;
        return { frames: sorted.length, median: at(0.5), p95: at(0.95), p99: at(0.99), long: window.long5000 };
      });
      console.log(`   ${colorScheme}: ${measured.frames} frames, median ${measured.median} ms, p95 ${measured.p95} ms, p99 ${measured.p99} ms, long tasks ${measured.long.join(' ') || 'none'} ms`);
      assert.ok(measured.median < 34, `a frame takes ${measured.median} ms`);
      await served.interrupt();
      await page.context().close();
    }
  },
};

let failed = 0;
const only = process.env.ONLY;
for (const [name, step] of Object.entries(steps)) {
  if (only && !name.includes(only)) continue;
  const began = Date.now();
  allowed = /$^/;
  complaints.length = 0;
  try {
    await step();
    assert.deepEqual(complaints, []);
    console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}: ${error.stack}\n${complaints.join('\n')}`);
  }
}
await browser.close();
endAll();
process.exit(failed ? 1 : 0);
