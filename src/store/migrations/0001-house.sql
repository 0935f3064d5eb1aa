-- SPDX-License-Identifier: ISC
-- SERIAL_ID stands for each database's own growing 64-bit primary key, GIVEN_ID for one that the writer gives;
-- TEXT is compared byte by byte on both; a CLUSTERED table lies in the order of its primary key where the
-- database can do that. store/migrate.c says how. Instants are microseconds, UTC.

-- store ------------------------------------------------------------------------------------------

CREATE TABLE counter (
	name TEXT PRIMARY KEY,
	value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('generation', 1);
INSERT INTO counter (name, value) VALUES ('changes', 1);
INSERT INTO counter (name, value) VALUES ('pools', 0);
INSERT INTO counter (name, value) VALUES ('nodes', 0);
INSERT INTO counter (name, value) VALUES ('epoch', 0);
INSERT INTO counter (name, value) VALUES ('rules', 0);
-- Drawn anew whenever rows of channels are written: the same stamp, the same rows.
INSERT INTO counter (name, value) VALUES ('channel-rows', 0);
-- When droverd last looked for changes that are due.
INSERT INTO counter (name, value) VALUES ('clock', 0);

CREATE TABLE history (
	sequence BIGINT PRIMARY KEY,
	at_us BIGINT NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	subject TEXT NOT NULL,
	reason TEXT,
	before_json TEXT,
	after_json TEXT,
	digest TEXT NOT NULL UNIQUE
);
CREATE INDEX history_subject ON history (subject, sequence);
CREATE INDEX history_actor ON history (actor, sequence);

-- History is added to and never changed: a slip is refused here, and malice shows in the chain.
-- only sqlite
CREATE TRIGGER history_no_update BEFORE UPDATE ON history
BEGIN
	SELECT RAISE(ABORT, 'history is never changed');
END;
CREATE TRIGGER history_no_delete BEFORE DELETE ON history
BEGIN
	SELECT RAISE(ABORT, 'history is never changed');
END;
-- only postgresql
CREATE FUNCTION history_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'history is never changed';
END $$;
CREATE TRIGGER history_no_update BEFORE UPDATE ON history
	FOR EACH ROW EXECUTE FUNCTION history_refuse();
CREATE TRIGGER history_no_delete BEFORE DELETE ON history
	FOR EACH ROW EXECUTE FUNCTION history_refuse();
CREATE TRIGGER history_no_truncate BEFORE TRUNCATE ON history
	FOR EACH STATEMENT EXECUTE FUNCTION history_refuse();
-- every database

-- Who holds a job's advisory lock (PostgreSQL); on SQLite the lock's file says it. A row counts only while
-- the server's process `backend_pid` has the lock.
CREATE TABLE job_holder (
	job TEXT PRIMARY KEY,
	host TEXT NOT NULL,
	pid BIGINT NOT NULL,
	since_us BIGINT NOT NULL,
	backend_pid BIGINT NOT NULL
);

CREATE TABLE maintenance (
	only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
	is_on BIGINT NOT NULL,
	reason TEXT,
	actor TEXT,
	since_us BIGINT
);
INSERT INTO maintenance (only_row, is_on) VALUES (1, 0);

-- landing ----------------------------------------------------------------------------------------

CREATE TABLE product (
	id SERIAL_ID,
	name TEXT NOT NULL UNIQUE,
	title TEXT NOT NULL,
	repository TEXT,                    -- folder of the git repository; NULL: landings are imported
	branch TEXT NOT NULL,
	item_patterns TEXT NOT NULL,        -- comma list of pattern names, landing/message.h
	item_url TEXT,                      -- "https://bugs.example/{item}"
	authors_may_rule BIGINT NOT NULL,   -- QA: ok in a message counts
	baseline BIGINT,                    -- landings up to this ordinal are accepted
	mail_list TEXT,                     -- overdue mail goes here
	overdue_days BIGINT NOT NULL,
	overdue_every_days BIGINT NOT NULL,
	remind BIGINT NOT NULL,             -- daily reminders to owners
	tip TEXT,                           -- newest scanned commit on the branch
	frozen_reason TEXT,                 -- NULL: not frozen
	frozen_tip TEXT,
	scanned_us BIGINT,
	next_ordinal BIGINT NOT NULL,
	epoch BIGINT NOT NULL,              -- moves when caches of its landings must be rebuilt
	data_version BIGINT NOT NULL
);

-- Ids are given by the writer, which is alone: they grow with the ordinals.
CREATE TABLE landing (
	id GIVEN_ID,
	product_id BIGINT NOT NULL REFERENCES product (id),
	ordinal BIGINT NOT NULL,
	revision TEXT NOT NULL,             -- SHA, or the importer's name for it
	branch TEXT NOT NULL,
	author_name TEXT NOT NULL,
	author_email TEXT NOT NULL,
	authored_us BIGINT,                 -- of its only commit; NULL: see brought_commit
	landed_us BIGINT NOT NULL,
	subject TEXT NOT NULL,
	message TEXT NOT NULL,
	qa TEXT NOT NULL,                   -- required, no-qa, incr, ok, bad: what its message says
	commits BIGINT NOT NULL,
	changes BIGINT NOT NULL,            -- those of them that are no merges
	notes TEXT,                         -- what the scan found odd, one line each
	retired_us BIGINT,                  -- no longer on the branch: it was rewritten
	UNIQUE (product_id, ordinal)
);
CREATE UNIQUE INDEX landing_revision ON landing (product_id, revision) WHERE retired_us IS NULL;

-- References to landings are checked when the transaction ends: a scan writes in batches, table by table.
CREATE TABLE landing_item (
	landing_id BIGINT NOT NULL REFERENCES landing (id) DEFERRABLE INITIALLY DEFERRED,
	item TEXT NOT NULL,
	message_state TEXT,                 -- a verdict that stands in the message itself (QA: trailer)
	PRIMARY KEY (landing_id, item)
) CLUSTERED;

-- What a landing refers to: the landings it rolls back or fixes. `ordinal` 0 is a target older than the
-- first landing (historic), -1 one that was not found (malformed); `reference` is what was written.
CREATE TABLE landing_target (
	landing_id BIGINT NOT NULL REFERENCES landing (id) DEFERRABLE INITIALLY DEFERRED,
	kind TEXT NOT NULL CHECK (kind IN ('rollback', 'fix')),
	position BIGINT NOT NULL,
	ordinal BIGINT NOT NULL,
	reference TEXT NOT NULL,
	PRIMARY KEY (landing_id, kind, position)
) CLUSTERED;

-- The commits of landings that have several, the landing's own included. A landing's only commit is the
-- landing's row: a scan writes most commits once.
CREATE TABLE brought_commit (
	landing_id BIGINT NOT NULL REFERENCES landing (id) DEFERRABLE INITIALLY DEFERRED,
	product_id BIGINT NOT NULL REFERENCES product (id),
	sha TEXT NOT NULL,
	author_name TEXT NOT NULL,
	author_email TEXT NOT NULL,
	authored_us BIGINT NOT NULL,
	subject TEXT NOT NULL,
	PRIMARY KEY (landing_id, sha),
	UNIQUE (product_id, sha)
) CLUSTERED;

CREATE VIEW landing_commit AS
	SELECT landing_id, product_id, sha, author_name, author_email, authored_us, subject FROM brought_commit
	UNION ALL
	SELECT id, product_id, revision, author_name, author_email, authored_us, subject FROM landing
	WHERE authored_us IS NOT NULL AND retired_us IS NULL;

-- The tips of the repository's branches at the last scan, for "is my branch live?".
CREATE TABLE branch_tip (
	product_id BIGINT NOT NULL REFERENCES product (id),
	name TEXT NOT NULL,
	sha TEXT NOT NULL,
	landing_id BIGINT REFERENCES landing (id) DEFERRABLE INITIALLY DEFERRED, -- NULL: not landed
	ahead BIGINT NOT NULL,                     -- commits that have not landed
	author_name TEXT NOT NULL,
	author_email TEXT NOT NULL,
	PRIMARY KEY (product_id, name)
);

-- A log: the newest verdict on a (landing, item) counts; item '' is the landing itself.
CREATE TABLE verdict (
	id SERIAL_ID,
	product_id BIGINT NOT NULL REFERENCES product (id),
	landing_id BIGINT NOT NULL REFERENCES landing (id) DEFERRABLE INITIALLY DEFERRED,
	item TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('needs-testing', 'ok', 'bad', 'untestable')),
	at_us BIGINT NOT NULL,
	actor TEXT NOT NULL,
	tool TEXT NOT NULL,
	reason TEXT
);
CREATE INDEX verdict_landing ON verdict (landing_id, id);
CREATE INDEX verdict_product ON verdict (product_id, id);

-- people and hosts -------------------------------------------------------------------------------

CREATE TABLE person (
	id SERIAL_ID,
	name TEXT NOT NULL UNIQUE,
	email TEXT NOT NULL,
	password_hash TEXT,
	is_disabled BIGINT NOT NULL,
	created_us BIGINT NOT NULL,
	data_version BIGINT NOT NULL
);

CREATE TABLE person_role (
	person_id BIGINT NOT NULL REFERENCES person (id),
	product TEXT NOT NULL,              -- a product's name, or '*'
	role TEXT NOT NULL,                 -- viewer, tester, operator, admin; others are for signing
	PRIMARY KEY (person_id, product, role)
);

CREATE TABLE token (
	id SERIAL_ID,
	person_id BIGINT NOT NULL REFERENCES person (id),
	name TEXT NOT NULL,
	digest TEXT NOT NULL UNIQUE,
	created_us BIGINT NOT NULL,
	expires_us BIGINT NOT NULL,
	revoked_us BIGINT,
	used_us BIGINT                      -- to the minute
);
CREATE INDEX token_person ON token (person_id, id);

CREATE TABLE session (
	digest TEXT PRIMARY KEY,            -- of the cookie
	person_id BIGINT NOT NULL REFERENCES person (id),
	created_us BIGINT NOT NULL,
	expires_us BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person_id);

-- One-time links with which a person logs in without a password.
CREATE TABLE login_link (
	digest TEXT PRIMARY KEY,
	person_id BIGINT NOT NULL UNIQUE REFERENCES person (id),
	expires_us BIGINT NOT NULL
);

-- Failed logins, one row each, for the rate limits; they hold across droverds. Names as digests: people type
-- passwords into the wrong field.
CREATE TABLE login_failure (
	id SERIAL_ID,
	name_digest TEXT,                   -- NULL: a link, or forgiven by a login that went well
	address TEXT,                       -- IPv6: its /64; NULL: not from the network
	at_us BIGINT NOT NULL
);
CREATE INDEX login_failure_name ON login_failure (name_digest, at_us);
CREATE INDEX login_failure_address ON login_failure (address, at_us);
CREATE INDEX login_failure_at ON login_failure (at_us);

-- One-time codes with which hosts enrol; one open invitation a name.
CREATE TABLE enrolment (
	digest TEXT PRIMARY KEY,            -- of the code
	kind TEXT NOT NULL CHECK (kind IN ('balancer', 'node')),
	name TEXT NOT NULL UNIQUE,
	actor TEXT NOT NULL,                -- who invited it
	expires_us BIGINT NOT NULL
);

CREATE TABLE host (
	id SERIAL_ID,
	name TEXT NOT NULL UNIQUE,
	kind TEXT NOT NULL CHECK (kind IN ('balancer', 'node')),
	digest TEXT NOT NULL UNIQUE,        -- of its token
	enrolled_us BIGINT NOT NULL,
	revoked_us BIGINT,
	seen_us BIGINT,
	version TEXT,
	clock_off_ms BIGINT,                -- its clock minus ours, at its last report
	data_version BIGINT NOT NULL
);

-- pools ------------------------------------------------------------------------------------------

CREATE TABLE pool (
	id SERIAL_ID,
	name TEXT NOT NULL UNIQUE,
	title TEXT NOT NULL,
	notes TEXT,
	version BIGINT NOT NULL,            -- of list and orders: what the counter 'pools' said when they moved
	force BIGINT NOT NULL,              -- a person wants this very list, whatever the list guard says
	data_version BIGINT NOT NULL        -- of what people edit: title, notes, list
);

CREATE TABLE pool_server (
	pool_id BIGINT NOT NULL REFERENCES pool (id),
	host TEXT NOT NULL,
	weight BIGINT NOT NULL,
	is_enabled BIGINT NOT NULL,
	wanted TEXT NOT NULL CHECK (wanted IN ('serve', 'reserve', 'drain')),
	order_id BIGINT NOT NULL,           -- the version that the order came with; 0: nobody asked
	forced BIGINT NOT NULL,
	asked_by TEXT,
	asked_us BIGINT,
	reason TEXT,
	PRIMARY KEY (pool_id, host)
);

-- The newest report of each balancer, whole: it is read, compared and replaced whole.
CREATE TABLE pool_balancer (
	pool_id BIGINT NOT NULL REFERENCES pool (id),
	host_id BIGINT NOT NULL REFERENCES host (id),
	started_us BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	reported_us BIGINT NOT NULL,        -- by our clock
	version BIGINT NOT NULL,            -- of the orders that it obeys
	epoch BIGINT NOT NULL,
	can_serve BIGINT NOT NULL,
	can_depool BIGINT NOT NULL,
	alerts_json TEXT NOT NULL,
	servers_json TEXT NOT NULL,
	PRIMARY KEY (pool_id, host_id)
);

-- What became of a server at one balancer, a bounded number of rows: for the picture of its last days.
CREATE TABLE pool_event (
	id SERIAL_ID,
	pool_id BIGINT NOT NULL REFERENCES pool (id),
	host_id BIGINT NOT NULL REFERENCES host (id),
	server TEXT NOT NULL,
	at_us BIGINT NOT NULL,
	state TEXT NOT NULL
);
CREATE INDEX pool_event_place ON pool_event (pool_id, host_id, server, id);

-- channels ---------------------------------------------------------------------------------------

-- Every row that channels are answered from, in each of its versions; what is live has no end. `kind` is a table of
-- channel/row/state.h, and the past is answered from the same rows. Who has which role stands in person_role.
CREATE TABLE channel_row (
	id SERIAL_ID,
	kind TEXT NOT NULL,
	key TEXT NOT NULL,
	product TEXT,                       -- of the row, '*' where it is for all; NULL: it has none
	row_json TEXT NOT NULL,             -- with its data_version
	from_us BIGINT NOT NULL,
	until_us BIGINT,
	change_id BIGINT,                   -- that brought it; NULL: a direct edit
	actor TEXT NOT NULL,
	ended_change_id BIGINT,             -- that ended it
	ended_actor TEXT
);
CREATE UNIQUE INDEX channel_row_live ON channel_row (kind, key) WHERE until_us IS NULL;
CREATE INDEX channel_row_key ON channel_row (kind, key, id);
CREATE INDEX channel_row_past ON channel_row (from_us);

CREATE TABLE channel_change (
	id SERIAL_ID,
	state TEXT NOT NULL CHECK (state IN ('scheduled', 'going-live', 'live', 'withdrawn')),
	when_us BIGINT NOT NULL,
	title TEXT NOT NULL,
	reason TEXT NOT NULL,
	author TEXT NOT NULL,
	ops_json TEXT NOT NULL,             -- as they fit the rows before them: re-based
	overrides_json TEXT NOT NULL,       -- [{"gate", "by", "at", "reason"}]
	problem_json TEXT,                  -- why it waits or conflicts, as its author was told
	created_us BIGINT NOT NULL,
	ended_us BIGINT,                    -- went live or was withdrawn
	concerns_json TEXT,                 -- then: {"products", "scopes"}, of the rows before it
	data_version BIGINT NOT NULL
);
CREATE INDEX channel_change_state ON channel_change (state, when_us, id);
CREATE INDEX channel_change_ended ON channel_change (ended_us);

-- What the queue said at any time: one row for each way a change was, while it was so.
CREATE TABLE channel_change_version (
	id SERIAL_ID,
	change_id BIGINT NOT NULL REFERENCES channel_change (id),
	when_us BIGINT NOT NULL,
	title TEXT NOT NULL,
	author TEXT NOT NULL,
	ops_json TEXT NOT NULL,
	from_us BIGINT NOT NULL,
	until_us BIGINT
);
CREATE INDEX channel_change_version_change ON channel_change_version (change_id, id);
CREATE INDEX channel_change_version_past ON channel_change_version (from_us);

CREATE TABLE channel_sign_off (
	id SERIAL_ID,
	change_id BIGINT NOT NULL REFERENCES channel_change (id),
	person TEXT NOT NULL,
	role TEXT NOT NULL,
	digest TEXT NOT NULL,               -- of the change's content, with its time where the role signs that
	at_us BIGINT NOT NULL,
	revoked_us BIGINT
);
CREATE INDEX channel_sign_off_change ON channel_sign_off (change_id, id);

-- What a tester saw: the digest of each declared channel that the change alters, at the cut through it.
CREATE TABLE channel_tested (
	id SERIAL_ID,
	change_id BIGINT NOT NULL REFERENCES channel_change (id),
	person TEXT NOT NULL,
	role TEXT NOT NULL,
	digests_json TEXT NOT NULL,         -- [{"product", "channel", "digest"}], sorted
	at_us BIGINT NOT NULL,
	void_us BIGINT,                     -- revoked, or what it was on moved
	void_why TEXT
);
CREATE INDEX channel_tested_change ON channel_tested (change_id, id);

-- releases and nodes -----------------------------------------------------------------------------

-- What was published, whole: the manifest is what was signed.
CREATE TABLE release (
	id SERIAL_ID,
	product_id BIGINT NOT NULL REFERENCES product (id),
	version TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	revision TEXT NOT NULL,
	landing BIGINT NOT NULL,            -- 0: none that is known
	tag TEXT,
	document TEXT NOT NULL,             -- name of its row in releases: what channels map to
	manifest TEXT NOT NULL,
	manifest_sha256 TEXT NOT NULL,
	signature TEXT NOT NULL,            -- the text of manifest.minisig
	signer TEXT NOT NULL,               -- id of the key
	tree_sha256 TEXT NOT NULL,
	tar_sha256 TEXT NOT NULL,
	size_bytes BIGINT NOT NULL,         -- of the payload
	tree_bytes BIGINT NOT NULL,
	files BIGINT NOT NULL,
	-- What lists show of the manifest; NULL: it has none.
	test_run TEXT,
	test_log_sha256 TEXT,
	contract_sha256 TEXT,
	min_rollback_sequence BIGINT NOT NULL,
	reason TEXT,                        -- why it is not of the deployable landing; NULL: it is
	actor TEXT NOT NULL,
	published_us BIGINT NOT NULL,
	removed_us BIGINT,                  -- by garbage collection
	UNIQUE (product_id, version),
	UNIQUE (product_id, sequence),
	UNIQUE (product_id, document)
);

-- A machine that runs products. Its host (token, clock, last contact) has the same name.
CREATE TABLE node (
	id SERIAL_ID,
	name TEXT NOT NULL UNIQUE,
	notes TEXT,
	tags_json TEXT NOT NULL,            -- {"rack": "a"}: what rules ask for as tag.rack
	version BIGINT NOT NULL,            -- of orders: what the counter 'nodes' said when they moved
	data_version BIGINT NOT NULL
);

CREATE TABLE node_product (
	node_id BIGINT NOT NULL REFERENCES node (id),
	product_id BIGINT NOT NULL REFERENCES product (id),
	channel TEXT NOT NULL,
	-- Whether it follows that by itself as a server of a pool, too.
	follows TEXT NOT NULL CHECK (follows IN ('alone', 'always')),
	-- An order for exactly this version, which may be an older one; NULL: it follows its channel.
	ordered TEXT,
	order_id BIGINT NOT NULL,           -- the version that the order came with; 0: nobody asked
	asked_by TEXT,
	asked_us BIGINT,
	reason TEXT,
	-- What it was last found to be to run, which is told from the rows of channels: when that moves, so does
	-- the node's version, which nodes wait for. NULL: nothing.
	target TEXT,
	-- Its newest report, whole; NULL: it never reported.
	report_json TEXT,
	running TEXT,                       -- of the report, for asking who runs what
	reported_us BIGINT,
	PRIMARY KEY (node_id, product_id)
);
CREATE INDEX node_product_running ON node_product (product_id, running);

-- What a node ran, and when it began to, a bounded number of rows.
CREATE TABLE node_event (
	id SERIAL_ID,
	node_id BIGINT NOT NULL REFERENCES node (id),
	product_id BIGINT NOT NULL REFERENCES product (id),
	at_us BIGINT NOT NULL,
	state TEXT NOT NULL,                -- running, failed, maintenance
	version TEXT,
	text TEXT
);
CREATE INDEX node_event_place ON node_event (node_id, product_id, id);

-- notices ----------------------------------------------------------------------------------------

CREATE TABLE outbox (
	id SERIAL_ID,
	dedupe TEXT NOT NULL UNIQUE,        -- "qa-reminder/web/ada@example.org/2026-11-21": queued once, ever
	kind TEXT NOT NULL,                 -- qa-reminder, overdue, change
	product TEXT,
	recipient TEXT NOT NULL,
	subject TEXT NOT NULL,
	body TEXT NOT NULL,
	message_id TEXT NOT NULL,
	thread TEXT,                        -- Message-ID that it answers, for one thread per subject
	state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed')),
	attempts BIGINT NOT NULL,
	next_us BIGINT NOT NULL,
	queued_us BIGINT NOT NULL,
	sent_us BIGINT,
	problem TEXT
);
CREATE INDEX outbox_state ON outbox (state, next_us);
