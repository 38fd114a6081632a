-- What lists are filtered by. What a filter wants is null where it is not given: put in place of the call,
-- nothing is left of it then.

create function relayscope_store.fits(value text, wanted text []) returns boolean
language sql immutable parallel safe
return wanted is null or value = any(wanted);

create function relayscope_store.fits(value uuid, wanted uuid []) returns boolean
language sql immutable parallel safe
return wanted is null or value = any(wanted);

create function relayscope_store.fits(value timestamptz, wanted timestamptz []) returns boolean
language sql immutable parallel safe
return wanted is null or value = any(wanted);

-- Objects of which one must be part of the attributes.
create function relayscope_store.fits(attributes jsonb, wanted jsonb []) returns boolean
language sql immutable parallel safe
return wanted is null or attributes @> any(wanted);

create function relayscope_store.at_least(value smallint, lowest smallint) returns boolean
language sql immutable parallel safe
return lowest is null or value >= lowest;

create function relayscope_store.is_tool_error(body text) returns boolean
language sql immutable parallel safe
return body ~ '"isError"\s*:\s*true';

create function relayscope_store.is_failure(kind text, body text) returns boolean
language sql immutable parallel safe
return kind = 'error' or (kind = 'result' and relayscope_store.is_tool_error(body));

-- What relayscope says of channels and delivery in good order.
create function relayscope_store.is_routine(event_name text, severity_number smallint) returns boolean
language sql immutable parallel safe
return severity_number < 13 and coalesce(event_name, '') in (
    'relayscope.delivery', 'relayscope.channel.opened', 'relayscope.channel.closed'
);
