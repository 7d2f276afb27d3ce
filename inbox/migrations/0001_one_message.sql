-- everything that one message needs, walled per account
-- depends:

-- migrate: apply

-- Two roles without a login. A process connects as a login role that is a member of both and owns
-- nothing; every transaction puts on one of them (inbox/db.py). meridian_app sees one account, chosen
-- by app.account_id. meridian_system carries messages between accounts and sees only what its policies
-- below open to it. Neither can bypass row-level security.
do $$ begin
    if not exists (select from pg_roles where rolname = 'meridian_app') then
        create role meridian_app nologin nosuperuser nobypassrls;
    end if;
    if not exists (select from pg_roles where rolname = 'meridian_system') then
        create role meridian_system nologin nosuperuser nobypassrls;
    end if;
    execute format('grant meridian_app, meridian_system to %I', current_user);
    if exists (select from pg_roles where rolname = 'meridian') then
        grant meridian_app, meridian_system to meridian;
    end if;
end $$;

grant usage on schema public to meridian_app, meridian_system;

create function current_account() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.account_id', true), '')::uuid $$;

create table accounts (
    account_id  uuid primary key,
    name        text not null check (length(name) between 1 and 200),
    settings    jsonb not null default '{}',
    seq         bigint not null default 0,    -- newest event; taken last in every transaction
    base_seq    bigint not null default 0,    -- events up to here have been pruned
    created_at  timestamptz not null default now()
);

create table installation (
    account_id    uuid primary key default '00000000-0000-0000-0000-000000000000'
                  check (account_id = '00000000-0000-0000-0000-000000000000'),
    restore_count integer not null default 0  -- `inbox restore` raises it: cursors of before are void
);
insert into installation default values;

create table users (
    account_id    uuid not null references accounts,
    id            uuid not null,
    email         text not null,
    name          text not null check (length(name) between 1 and 200),
    password_hash text not null,
    role          text not null check (role in ('owner', 'admin', 'agent')),
    availability  text not null default 'available' check (availability in ('available', 'away', 'offline')),
    time_zone     text not null default 'UTC',
    schedule      jsonb,                      -- [[weekday, from, to]] in minutes; null: always on shift
    capacity      integer not null default 20,
    last_assigned_at timestamptz,
    active        boolean not null default true,
    created_at    timestamptz not null default now(),
    primary key (account_id, id)
);
create unique index users_email on users (account_id, lower(email));
create index users_sign_in on users (lower(email));

create table sessions (
    account_id   uuid not null,
    token_hash   bytea not null,
    user_id      uuid not null,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null,
    user_agent   text not null default '',
    primary key (account_id, token_hash),
    foreign key (account_id, user_id) references users on delete cascade
);
create index sessions_token on sessions (token_hash);

create table channels (
    account_id  uuid not null references accounts,
    id          uuid not null,
    kind        text not null,
    name        text not null check (length(name) between 1 and 200),
    settings    jsonb not null default '{}',
    secrets     bytea not null,               -- sealed, see inbox/crypto.py
    enabled     boolean not null default true,
    paused_until timestamptz,                 -- the provider asked the whole channel to wait
    last_inbound_at  timestamptz,
    last_outbound_at timestamptz,
    last_error  text,
    created_at  timestamptz not null default now(),
    primary key (account_id, id)
);
create index channels_hook on channels (id);

create table contacts (
    account_id  uuid not null references accounts,
    id          uuid not null,
    name        text not null,
    email       text,
    phone       text,
    language    text,
    time_zone   text,
    version     bigint not null default 1,
    created_at  timestamptz not null default now(),
    primary key (account_id, id)
);

create table contact_identities (
    account_id  uuid not null,
    id          uuid not null,
    contact_id  uuid not null,
    kind        text not null,
    scope       text not null default '',     -- the channel's id when the space is one channel's own
    external_id text not null check (external_id <> ''),
    name        text,
    reachable   boolean not null default true,
    created_at  timestamptz not null default now(),
    primary key (account_id, id),
    unique (account_id, kind, scope, external_id),
    foreign key (account_id, contact_id) references contacts
);
create index contact_identities_contact on contact_identities (account_id, contact_id);

create table labels (
    account_id  uuid not null references accounts,
    id          uuid not null,
    name        text not null check (length(name) between 1 and 60),
    color       text not null check (color ~ '^#[0-9a-f]{6}$'),
    primary key (account_id, id)
);
create unique index labels_name on labels (account_id, lower(name));

create table conversations (
    account_id  uuid not null,
    id          uuid not null,
    contact_id  uuid not null,
    channel_id  uuid not null,                -- where to answer next
    address     text not null,                -- and at which address there
    lane        text not null,                -- threads of one contact that must stay apart (groups)
    title       text,
    status      text not null default 'open' check (status in ('open', 'pending', 'snoozed', 'resolved')),
    priority    text not null default 'none' check (priority in ('none', 'low', 'medium', 'high', 'urgent')),
    assignee_id uuid,
    previous_assignee_id uuid,                -- who had it when it was resolved
    label_ids   uuid[] not null default '{}',
    snoozed_until timestamptz,
    waiting_since timestamptz,
    unanswered  integer not null default 0,
    last_message_id uuid,
    last_activity_at timestamptz not null default now(),
    version     bigint not null default 1,
    routed_version bigint,                    -- version that routing has looked at; null: not yet
    route_at    timestamptz,                  -- when a queued thread is worth another look
    created_at  timestamptz not null default now(),
    primary key (account_id, id),
    foreign key (account_id, contact_id) references contacts,
    foreign key (account_id, channel_id) references channels,
    foreign key (account_id, assignee_id) references users
);
-- One thread of a contact at a time: this index, not a look beforehand, is what keeps the promise.
create unique index conversations_one_open on conversations (account_id, contact_id, lane)
    where status <> 'resolved';
create index conversations_of_contact on conversations (account_id, contact_id, lane, created_at desc);
create index conversations_list on conversations (account_id, status, last_activity_at desc, id desc);
create index conversations_mine on conversations (account_id, assignee_id, status, last_activity_at desc, id desc);
create index conversations_queue on conversations (account_id, route_at)
    where assignee_id is null and status in ('open', 'pending');
create index conversations_snoozed on conversations (snoozed_until) where status = 'snoozed';

create table messages (
    account_id  uuid not null,
    id          uuid not null,
    conversation_id uuid not null,
    channel_id  uuid,
    kind        text not null check (kind in ('inbound', 'outbound', 'note', 'activity')),
    state       text not null check (state in
        ('received', 'queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'noted')),
    author_kind text not null check (author_kind in ('contact', 'agent', 'bot', 'system')),
    author_id   uuid,
    author_name text not null default '',
    external_id text,
    body        text not null default '',
    content     jsonb not null default '{}',  -- marks, location, card, activity, context …
    reply_to_id uuid,
    reply_to_external text,
    reactions   jsonb not null default '[]',
    client_key  text,
    sent_at_provider timestamptz,             -- as the provider wrote it, before clamping
    sort_at     timestamptz not null,
    sort_order  bigint not null default 0,
    version     integer not null default 1,
    edited_at   timestamptz,
    deleted_at  timestamptz,
    attempts    integer not null default 0,
    next_attempt_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    error_code  text,
    error_words text,
    created_at  timestamptz not null default now(),
    primary key (account_id, id),
    foreign key (account_id, conversation_id) references conversations,
    foreign key (account_id, channel_id) references channels
);
create unique index messages_external on messages (account_id, channel_id, external_id)
    where external_id is not null;
create unique index messages_client_key on messages (account_id, author_id, client_key)
    where client_key is not null;
create index messages_thread on messages (account_id, conversation_id, sort_at, sort_order, id);
create index messages_outbox on messages (account_id, conversation_id, sort_at, sort_order, id)
    where kind = 'outbound' and state in ('queued', 'sending');
create index messages_due on messages (next_attempt_at, lease_until)
    where kind = 'outbound' and state in ('queued', 'sending');

-- What the provider calls each part of a message that we sent (long texts are several calls).
create table message_parts (
    account_id  uuid not null,
    message_id  uuid not null,
    part        integer not null,
    position    integer not null,             -- within one call: an album answers with several ids
    channel_id  uuid not null,
    external_id text not null,
    created_at  timestamptz not null default now(),
    primary key (account_id, message_id, part, position),
    unique (account_id, channel_id, external_id),
    foreign key (account_id, message_id) references messages on delete cascade
);

-- An edit, reaction, deletion or receipt that came before its message waits here.
create table early_effects (
    account_id  uuid not null,
    id          uuid not null,
    channel_id  uuid not null,
    external_id text not null,
    effect      jsonb not null,
    created_at  timestamptz not null default now(),
    primary key (account_id, id),
    foreign key (account_id, channel_id) references channels
);
create index early_effects_message on early_effects (account_id, channel_id, external_id);

create table attachments (
    account_id  uuid not null,
    id          uuid not null,
    message_id  uuid,                         -- null: uploaded, not sent yet
    position    integer not null default 0,
    uploaded_by text,                         -- "user:<id>" or "visitor:<id>"; only they may attach it
    kind        text not null check (kind in ('image', 'video', 'audio', 'voice', 'document', 'sticker')),
    state       text not null check (state in ('pending', 'ready', 'failed')),
    name        text not null,
    content_type text not null,
    size        bigint,
    sha256      bytea,
    blob_key    text,
    ref         jsonb,                        -- the adapter's own reference while it is not fetched
    width       integer,
    height      integer,
    duration    integer,
    error       text,
    created_at  timestamptz not null default now(),
    primary key (account_id, id),
    foreign key (account_id, message_id) references messages on delete cascade,
    check (state <> 'ready' or (blob_key is not null and size is not null and sha256 is not null))
);
create index attachments_message on attachments (account_id, message_id, position);

create table send_attempts (
    account_id  uuid not null,
    id          uuid not null,
    message_id  uuid not null,
    attempt     integer not null,
    part        integer not null,
    outcome     text not null check (outcome in ('started', 'sent', 'retryable', 'permanent', 'unknown')),
    code        text,
    words       text,
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    primary key (account_id, id),
    foreign key (account_id, message_id) references messages on delete cascade
);
create index send_attempts_message on send_attempts (account_id, message_id);
create index send_attempts_age on send_attempts (account_id, started_at desc);

create table raw_events (
    account_id  uuid not null,
    id          uuid not null,
    channel_id  uuid not null,
    received_at timestamptz not null default now(),
    headers     jsonb not null default '{}',
    body        bytea not null,
    state       text not null default 'pending' check (state in ('pending', 'processed', 'duplicate', 'dead')),
    attempts    integer not null default 0,
    reason      text,
    processed_at timestamptz,
    primary key (account_id, id)
);
create index raw_events_pending on raw_events (received_at) where state = 'pending';
create index raw_events_list on raw_events (account_id, received_at desc, id desc);

create table dead_letters (
    account_id  uuid not null,
    id          uuid not null,
    source      text not null check (source in ('intake', 'consumer', 'job')),
    raw_event_id uuid,
    channel_id  uuid,
    reason      text not null,
    detail      text not null default '',
    payload     jsonb not null default '{}',
    state       text not null default 'open' check (state in ('open', 'processed', 'discarded')),
    attempts    integer not null default 1,
    created_at  timestamptz not null default now(),
    closed_at   timestamptz,
    primary key (account_id, id)
);
create index dead_letters_list on dead_letters (account_id, state, created_at desc, id desc);

create table event_log (
    account_id  uuid not null,
    seq         bigint not null,
    id          uuid not null,
    type        text not null,
    at          timestamptz not null,
    subject_id  uuid,                         -- conversation, where there is one
    data        json not null,
    primary key (account_id, seq)
);
create index event_log_age on event_log (account_id, at);

-- What a transaction has recorded, in one row, until it commits: the deferred trigger below then moves it
-- into the log. So the account's row, whose order of commits is the order of the log, is held for the length
-- of a commit and not for that of a round trip. Always empty outside of transactions, hence unlogged.
create unlogged table recorded_events (
    account_id  uuid not null,
    id          uuid not null,
    ids         uuid[] not null,
    types       text[] not null,
    subjects    uuid[] not null,
    data        text[] not null,
    primary key (account_id, id)
);

create function append_recorded_events() returns trigger language plpgsql as $$
declare base bigint;
begin
    delete from recorded_events where account_id = new.account_id and id = new.id;
    update accounts set seq = seq + cardinality(new.ids) where account_id = new.account_id
        returning seq - cardinality(new.ids) into strict base;
    insert into event_log (account_id, seq, id, type, at, subject_id, data)
    select new.account_id, base + e.n, e.id, e.type, clock_timestamp(), e.subject, e.data::json
    from unnest(new.ids, new.types, new.subjects, new.data) with ordinality as e(id, type, subject, data, n);
    return null;
end $$;
create constraint trigger append_at_commit after insert on recorded_events
    deferrable initially deferred for each row execute function append_recorded_events();

create table relay_cursors (
    account_id  uuid primary key,
    shard       integer not null,
    seq         bigint not null               -- published up to here
);

create table consumer_marks (
    account_id  uuid not null default '00000000-0000-0000-0000-000000000000',
    shard       integer not null,
    consumed_at timestamptz not null,         -- every event of before has been taken by every group
    primary key (account_id, shard)
);

create table jobs (
    account_id  uuid not null,
    id          uuid not null,
    kind        text not null,
    key         text not null,                -- one live job per kind and key
    payload     jsonb not null default '{}',
    state       text not null default 'waiting' check (state in ('waiting', 'done', 'dead')),
    due_at      timestamptz not null default now(),
    attempts    integer not null default 0,
    lease_token uuid,
    lease_until timestamptz,
    last_error  text,
    created_at  timestamptz not null default now(),
    primary key (account_id, id)
);
create unique index jobs_key on jobs (account_id, kind, key) where state = 'waiting';
create index jobs_due on jobs (due_at) where state = 'waiting';

create table decisions (
    account_id  uuid not null,
    id          uuid not null,
    conversation_id uuid not null,
    at          timestamptz not null,
    outcome     text not null,
    agent_id    uuid,
    applied     boolean not null,
    decision    jsonb not null,
    facts       jsonb not null,
    primary key (account_id, id),
    foreign key (account_id, conversation_id) references conversations
);
create index decisions_conversation on decisions (account_id, conversation_id, at desc);

-- The walls. Every table of an account, without exception (tests/integration/test_walls.py).
do $$ declare t text; begin
    for t in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname = 'public' and c.relkind = 'r' and c.relname !~ '^_?pogo' loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy own_account on %I to meridian_app
            using (account_id = current_account()) with check (account_id = current_account())', t);
        execute format('grant select, insert, update, delete on %I to meridian_app', t);
    end loop;
end $$;
revoke delete on accounts, event_log, installation from meridian_app;
revoke update on event_log from meridian_app;

-- What carries messages between accounts may see, and no more: who signs in and which channel a webhook
-- is for, the log and the cursors of the relay, and the lists of work that a sweep looks through.
create policy carry on accounts for select to meridian_system using (true);
create policy found on accounts for insert to meridian_system with check (true);
create policy carry on installation to meridian_system using (true) with check (true);
create policy carry on users for select to meridian_system using (true);
create policy carry on sessions for select to meridian_system using (true);
create policy carry on channels for select to meridian_system using (true);
create policy carry on event_log for select to meridian_system using (true);
create policy carry on relay_cursors to meridian_system using (true) with check (true);
create policy carry on consumer_marks to meridian_system using (true) with check (true);
create policy carry on raw_events to meridian_system using (true) with check (true);
create policy carry on jobs for select to meridian_system using (true);
create policy carry on messages for select to meridian_system
    using (kind = 'outbound' and state in ('queued', 'sending'));
create policy carry on conversations for select to meridian_system
    using (status = 'snoozed' or (assignee_id is null and status in ('open', 'pending')));
create policy prune on event_log for delete to meridian_system using (at < now() - interval '1 day');
create policy prune on accounts for update to meridian_system using (true) with check (true);
grant select, insert on accounts to meridian_system;
grant update (base_seq) on accounts to meridian_system;
grant delete on event_log to meridian_system;
grant select on _pogo_migration to meridian_system;
grant select, update on installation to meridian_system;
grant select on users, sessions, channels, event_log, jobs, messages, conversations to meridian_system;
grant select, insert, update on relay_cursors, consumer_marks, raw_events to meridian_system;

-- The durable accept is one statement on the hottest path, so it is one function and one round trip: it
-- may only add rows. Security definer, owned by the role whose policies allow just that.
create function accept_raw_events(
    accounts uuid[], ids uuid[], channels uuid[], headers text[], bodies bytea[]
) returns void language sql security definer set search_path = pg_catalog, public as $$
    insert into public.raw_events (account_id, id, channel_id, headers, body)
    select a, i, c, h::jsonb, b
    from unnest(accounts, ids, channels, headers, bodies) as batch(a, i, c, h, b)
$$;
grant create on schema public to meridian_system;  -- asked for by the next line, taken back after it
alter function accept_raw_events owner to meridian_system;
revoke create on schema public from meridian_system;
revoke all on function accept_raw_events from public;
do $$ begin
    if exists (select from pg_roles where rolname = 'meridian') then
        grant execute on function accept_raw_events to meridian;
    end if;
    execute format('grant execute on function accept_raw_events to %I', current_user);
end $$;

-- migrate: rollback
